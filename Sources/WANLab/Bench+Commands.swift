internal import LinuxIO
internal import NetworkTypes
internal import WANControl

/// What the operator does, and how fast a decision is in the kernel.
extension Bench {
    func manual() throws {
        try sheet.heading("`wanctl failover` between two good uplinks")
        let site = try BenchSite(on: stage)
        try site.settle()
        let established = try ClientProber.start(in: site.lab)
        let fresh = try ClientProber.start(in: site.lab, flow: .fresh())
        try site.awaitAnswers(established, fresh)
        var spans: [Double] = []
        for place in 0..<runs {
            try stage.linger(.milliseconds(300) + phase(place, of: runs))
            let uplink = place % 2 == 0 ? "jcom" : "ftth"
            let began = Clock.boottime()
            try Command.mustRun([Siblings.path("wanctl"), "--socket", site.router.socketPath, "failover", uplink])
            spans.append(Double(Clock.boottime() - began) / 1e6)
        }
        try stage.linger(.seconds(1))
        let reports = try (fresh.stop(), established.stop())
        try sheet.row("the command, from exec to exit", spans, unit: "ms", bar: .most(50))
        let lost = (reports.0.lost, reports.1.lost)
        try sheet.figure(
            "packets lost, new flows", "\(lost.0) of \(reports.0.sent)", bar: ("0", lost.0 == 0))
        try sheet.figure("packets lost, an established flow", "\(lost.1) of \(reports.1.sent)")
    }

    func switches() throws {
        try sheet.heading("From the decision to the kernel's last acknowledgement")
        let count = max(2, runs * 25)
        let site = try BenchSite(on: stage)
        try site.settle()
        try sheet.row(
            "3 uplinks", try applied(count, at: site.router, between: ["jcom", "ftth"]), unit: "ms",
            bar: .percentile99(0.5))

        let lab = try stage.build(.perfect)
        try addUplinks(Self.manyUplinks, to: lab)
        let router = try RouterUnderTest.start(in: lab, policy: Self.policy(uplinks: Self.manyUplinks))
        let names = (2...Self.manyUplinks).map { "u\($0)" } + ["u1"]
        try router.waitUntil("\(Self.manyUplinks) uplinks up", atMost: .seconds(30)) { status in
            status.uplinks.allSatisfy { $0.state == .up }
        }
        try sheet.row(
            "\(Self.manyUplinks) uplinks", try applied(count, at: router, between: names), unit: "ms",
            bar: .percentile99(3))
        try sheet.note(
            "The bar for 64 uplinks is for a policy with 1000 rules too, which this release does not take yet.")
    }

    /// As many as a policy may have.
    private static let manyUplinks = 64

    /// `names` ends with the one that is selected at the beginning.
    private func applied(_ count: Int, at router: RouterUnderTest, between names: [String]) throws -> [Double] {
        try (0..<count).map { place in
            try stage.check()
            let done = try router.act(.failover(uplink: names[place % names.count]))
            guard let applied = done.change?.appliedMilliseconds else {
                throw LabError("switch to \(names[place % names.count])", "the daemon did nothing: \(done.done)")
            }
            return applied
        }
    }

    /// Cables from the router straight to the internet, u1, u2, …
    private func addUplinks(_ count: Int, to lab: Lab) throws {
        let numbers = 1...count
        let (router, inet) = (lab.namespaceName(.router), lab.namespaceName(.inet))
        func batch(_ lines: [String], _ arguments: [String]) throws {
            try Command.mustRun(["ip"] + arguments + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
        }
        try batch(numbers.map { "link add u\($0) netns \(router) type veth peer name v\($0) netns \(inet)" }, [])
        try batch(
            numbers.flatMap { ["addr add 10.200.\($0).1/30 dev v\($0)", "link set v\($0) up"] }, ["-n", inet])
        try batch(
            numbers.flatMap { ["addr add 10.200.\($0).2/30 dev u\($0)", "link set u\($0) up"] }, ["-n", router])
    }

    private static func policy(uplinks count: Int) -> String {
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

            """
    }
}
