import Testing
import WANLab
import WANModel
import WANPolicy

@Suite("Policies of the bench")
struct BenchPolicyTests {
    /// The bench is useless if the reader finds a fault in it, or if one rule hides another.
    @Test(
        "many rules are a policy without a fault or a warning, and turning them changes each",
        arguments: [10, 100, 1000])
    func rules(count: Int) throws {
        let policies = try [false, true].map { turned in
            let text = SamplePolicy.text(
                more: ManyRules.text(count, uplinks: ["jcom", "ftth", "soracom"], turned: turned))
            return try PolicyReader.read(Array(text.utf8))
        }
        for policy in policies {
            #expect(policy.warnings.isEmpty, "\(policy.warnings.prefix(3))")
            #expect(policy.policy.rules.count == count)
            #expect(Set(policy.policy.rules.map(\.match)).count == count, "each matches something of its own")
        }
        for (one, other) in zip(policies[0].policy.rules, policies[1].policy.rules) {
            #expect(one.match == other.match && one.order == other.order.reversed())
        }
    }

    @Test("a sample policy takes an order that shares, more of failover, and sections")
    func sample() throws {
        let text = SamplePolicy.text(
            hold: "7s", order: "[{ftth: 3, jcom: 1}, soracom]",
            more: """
                forwards:
                  - {uplinks: [ftth], protocol: tcp, port: 80, to: 192.168.0.200:8080}

                """)
        let policy = try PolicyReader.read(Array(text.utf8)).policy
        #expect(policy.failover.order.map { $0.members.map(\.weight) } == [[3, 1], [1]])
        #expect(policy.failover.hold == .seconds(7))
        #expect(policy.forwards.count == 1)
    }
}
