internal import WANControl
internal import WANModel

/// A daemon with as many uplinks as a policy may have, each a cable straight to the lab's internet.
final class ManyUplinks {
    static let count = 64
    let lab: Lab
    let router: RouterUnderTest
    /// To switch to one after the other; the one that is selected at the beginning comes last.
    let names: [String]

    /// - Parameter more: More of the policy: `rules:`.
    static func start(on stage: LabStage, more: String = "") throws -> ManyUplinks {
        let lab = try stage.build(.perfect)
        try lay(in: lab)
        let router = try RouterUnderTest.start(in: lab, policy: policy(more: more))
        let site = ManyUplinks(lab, router)
        try site.router.waitUntil("\(count) uplinks up", atMost: .seconds(30)) { status in
            status.uplinks.allSatisfy { $0.state == .up }
        }
        return site
    }

    private init(_ lab: Lab, _ router: RouterUnderTest) {
        self.lab = lab
        self.router = router
        names = (2...Self.count).map { "u\($0)" } + ["u1"]
    }

    /// Cables from the router, u1, u2, …
    private static func lay(in lab: Lab) throws {
        let numbers = 1...count
        let (router, inet) = (lab.namespaceName(.router), lab.namespaceName(.inet))
        let links = numbers.map { "link add u\($0) netns \(router) type veth peer name v\($0) netns \(inet)" }
        try Command.mustRun(["ip", "-batch", "-"], input: Assembly.lines(links))
        try lab.change(
            .inet,
            Assembly.lines(numbers.flatMap { ["addr add 10.200.\($0).1/30 dev v\($0)", "link set v\($0) up"] }))
        try lab.change(
            .router,
            Assembly.lines(numbers.flatMap { ["addr add 10.200.\($0).2/30 dev u\($0)", "link set u\($0) up"] }))
    }

    private static func policy(more: String) -> String {
        let uplinks = (1...count).map { "  u\($0): {interface: u\($0), gateway: 10.200.\($0).1}" }
        return """
            version: 1
            site: many
            lan:
              interfaces: [eth0]
            uplinks:
            \(uplinks.joined(separator: "\n"))
            failover:
              order: [\((1...count).map { "u\($0)" }.joined(separator: ", "))]

            """ + more
    }
}
