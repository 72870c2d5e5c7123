import NetworkTypes
import WANControl
import WANDaemon
import WANModel

/// A box of a site on paper: facts go in, time goes from deadline to deadline, and all that is to be done is kept.
///
/// The box is `main` with the best of three uplinks; `sub` and `third` have the others.
struct RoleWorld {
    static let start = Moment(nanoseconds: 100_000_000_000)
    var role: SiteRole
    var now = start
    /// All outputs but hellos, with the second in which they came.
    var done: [(at: Double, output: SiteRole.Output)] = []
    var hellos = 0
    /// What the engine says when it hears of another role: a held line is as good as any where it carries the traffic.
    var health: (BoxRole) -> Int? = { _ in nil }
    private var sequence: Int64 = 0
    private var fitness: SiteRole.Fitness

    static let nodes = ["main", "sub", "third"].enumerated().map { index, name in
        Node(name: name, address: .v4(IPv4Address(192, 168, 0, UInt8(index + 1))))
    }

    /// An address of the LAN with the length of its network.
    static func prefix(_ host: UInt8) -> IPPrefix {
        IPPrefix(.v4(IPv4Address(192, 168, 0, host)), length: 24) ?? IPPrefix(host: .v4(IPv4Address(192, 168, 0, host)))
    }

    static func settings(_ change: (inout VRRP) -> Void = { _ in }) -> SiteRole.Settings {
        var vrrp = VRRP(
            instance: "VI_LAN", interface: "eth1", routerID: 51,
            address: prefix(254))
        change(&vrrp)
        let position = SitePosition(node: nodes[0], peers: Array(nodes[1...]), ranks: ["ftth": 0], count: 3)
        return SiteRole.Settings(vrrp: vrrp, position: position, hold: .seconds(30))
    }

    init(
        found: Int? = nil, hasAddress: Bool = false, health: Int = 4, isProving: Bool = false,
        _ change: (inout VRRP) -> Void = { _ in }
    ) {
        fitness = SiteRole.Fitness(health: health, isProving: isProving)
        role = SiteRole(
            Self.settings(change), found: found, hasAddress: hasAddress, fitness: fitness, at: Self.start)
        handle(.look)
    }

    /// Seconds since the start.
    var second: Double { (now - Self.start).milliseconds / 1000 }

    mutating func handle(_ input: SiteRole.Input) {
        var news: BoxRole?
        if case .fitness(let fresh) = input { fitness = fresh }
        if case .policy(_, _, let fresh) = input { fitness = fresh }
        for output in role.handle(input, at: now) {
            if output == .hello { hellos += 1 } else { done.append((second, output)) }
            if case .role(let box, isFirst: false) = output { news = box }
        }
        // The engine is told, and what it says comes back at once.
        guard let news else { return }
        handle(.fitness(health(news).map { SiteRole.Fitness(health: $0) } ?? fitness))
    }

    mutating func fitness(_ health: Int, isUntranslated: Bool = false, isUnreliable: Bool = false) {
        handle(
            .fitness(
                SiteRole.Fitness(health: health, isUntranslated: isUntranslated, isUnreliable: isUnreliable)))
    }

    mutating func hear(_ node: String, _ box: BoxRole, health: Int, uplink: UplinkReport.State = .up) {
        sequence += 1
        handle(
            .hello(
                PeerHello(
                    node: node, version: wanctlVersion, run: 1, sequence: sequence, role: box, health: health,
                    selected: [], uplinks: [.init(name: "jcom", state: uplink)])))
    }

    /// Lets time go on, with each deadline in its turn; who spoke before speaks on.
    mutating func pass(_ span: Duration, hearing peers: [(node: String, role: BoxRole, health: Int)] = []) {
        let end = now + span
        while role.nextDeadline <= end {
            now = max(now, role.nextDeadline)
            handle(.deadlineReached)
            for peer in peers { hear(peer.node, peer.role, health: peer.health) }
        }
        now = end
    }

    /// What was done since the last time this was asked.
    mutating func news() -> [SiteRole.Output] {
        defer { done = [] }
        return done.map(\.output)
    }

    /// Where a deed belongs in the order of deeds; `nil` for what may stand anywhere.
    static func rank(_ output: SiteRole.Output) -> Int? {
        switch output {
        case .awaitStrays, .steer: 0
        case .forwarding: 1
        case .role: 2
        case .health: 3
        case .hello: 4
        case .reroute, .alarm, .handOverEnded, .changed: nil
        }
    }

    var healths: [Int] { done.compactMap { if case .health(let value) = $0.output { value } else { nil } } }
}
