import NetworkTypes
import Testing
import WANModel

@Suite("each box takes its part of the site's policy")
struct PolicyPartTests {
    /// ftth and jcom on main, soracom on sub, spare on neither's order but in a rule.
    private static let site: Policy = {
        var policy = Policy()
        policy.nodes = [
            Node(name: "main", address: .v4(IPv4Address(192, 168, 0, 1))),
            Node(name: "sub", address: .v4(IPv4Address(192, 168, 0, 2))),
        ]
        policy.uplinks = [("ftth", "main"), ("soracom", "sub"), ("jcom", "main"), ("spare", "sub")].map { name, node in
            var uplink = Uplink(name: name, interface: "ppp0")
            uplink.node = node
            return uplink
        }
        policy.failover.order = [
            .init([.init(uplink: "ftth", weight: 3), .init(uplink: "jcom", weight: 1)]), .init("soracom"),
        ]
        policy.rules = [
            PolicyRule(name: "fibre only", match: .init(), order: [.init("ftth")], otherwise: .reject),
            PolicyRule(
                name: "spare first", match: .init(), order: [.init("spare"), .init("jcom")], otherwise: .default),
        ]
        let host = IPAddress.v4(IPv4Address(192, 168, 0, 10))
        policy.forwards = [
            Forward(uplinks: ["ftth", "soracom"], transport: .tcp, ports: 80...80, host: host, hostPort: 80),
            Forward(uplinks: ["ftth"], transport: .udp, ports: 53...53, host: host, hostPort: 53),
        ]
        return policy
    }()

    @Test("uplinks, orders, rules and forwards are those of the box")
    func main() throws {
        let part = try Self.site.part(of: "main")
        #expect(part.uplinks.map(\.name) == ["ftth", "jcom"])
        #expect(part.failover.order == [Self.site.failover.order[0]])
        #expect(part.rules.map(\.order) == [[.init("ftth")], [.init("jcom")]])
        #expect(part.forwards.map(\.uplinks) == [["ftth"], ["ftth"]])
        #expect(part.nodes == Self.site.nodes)
    }

    @Test("a rule without an uplink here keeps its position and what it says otherwise; an empty step goes")
    func sub() throws {
        let part = try Self.site.part(of: "sub")
        #expect(part.failover.order == [.init("soracom")])
        #expect(part.rules.map(\.name) == ["fibre only", "spare first"])
        #expect(part.rules.map(\.order) == [[], [.init("spare")]])
        #expect(part.rules.map(\.otherwise) == [.reject, .default])
        #expect(part.forwards.map(\.uplinks) == [["soracom"]])
    }

    @Test("ranks are counted over the whole site")
    func ranks() throws {
        let main = try #require(try Self.site.position(of: "main"))
        #expect(main.ranks == ["ftth": 0, "jcom": 1])
        #expect(main.count == 3)
        #expect(main.peers.map(\.name) == ["sub"])
        let sub = try #require(try Self.site.position(of: "sub"))
        #expect(sub.ranks == ["soracom": 2])
        #expect(sub.node.address.description == "192.168.0.2")
    }

    @Test("an unknown box is refused with the known ones")
    func unknown() {
        #expect(throws: UnknownNode(name: "mian", known: ["main", "sub"])) { try Self.site.part(of: "mian") }
        #expect(throws: UnknownNode.self) { try Self.site.position(of: "mian") }
        #expect(UnknownNode(name: "x", known: ["main", "sub"]).description.contains("its nodes are main, sub"))
    }

    @Test("without nodes the whole policy is the part of every box")
    func alone() throws {
        var alone = Self.site
        alone.nodes = []
        #expect(try alone.part(of: "anything") == alone)
        #expect(try alone.position(of: "anything") == nil)
    }

    @Test("what is on the other box is in no part twice, and nothing of the order is lost")
    func whole() throws {
        let parts = try Self.site.nodes.map { try Self.site.part(of: $0.name) }
        #expect(parts.flatMap { $0.uplinks.map(\.name) }.sorted() == Self.site.uplinks.map(\.name).sorted())
        #expect(Set(parts.flatMap(\.siteOrder)) == Set(Self.site.siteOrder))
    }
}
