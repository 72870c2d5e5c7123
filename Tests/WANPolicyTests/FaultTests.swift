import Testing

/// A text and everything that must be said about it, to the letter.
struct Faulty: CustomTestStringConvertible, Sendable {
    var text: String
    var faults: [String]
    init(_ text: String, _ faults: String...) {
        self.text = text
        self.faults = faults
    }
    var testDescription: String { faults.first ?? text }
}

@Suite("a faulty policy is refused at its position, in words that help")
struct FaultTests {
    @Test("the whole file", arguments: wholeFileFaults)
    func wholeFile(_ case: Faulty) { check(`case`) }
    @Test("YAML", arguments: yamlFaults)
    func yaml(_ case: Faulty) { check(`case`) }
    @Test("uplinks", arguments: uplinksFaults)
    func uplinks(_ case: Faulty) { check(`case`) }
    @Test("probes", arguments: probesFaults)
    func probes(_ case: Faulty) { check(`case`) }
    @Test("addresses", arguments: addressesFaults)
    func addresses(_ case: Faulty) { check(`case`) }
    @Test("SORACOM", arguments: simFaults)
    func sim(_ case: Faulty) { check(`case`) }
    @Test("failover", arguments: failoverFaults)
    func failover(_ case: Faulty) { check(`case`) }
    @Test("rules", arguments: rulesFaults)
    func rules(_ case: Faulty) { check(`case`) }
    @Test("forwards", arguments: forwardsFaults)
    func forwards(_ case: Faulty) { check(`case`) }
    @Test("what comes with later releases", arguments: laterFaults)
    func later(_ case: Faulty) { check(`case`) }

    private func check(_ faulty: Faulty) {
        #expect(faults(of: faulty.text) == faulty.faults, "\(faulty.text)")
    }
}
