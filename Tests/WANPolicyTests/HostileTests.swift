import Testing
import WANModel
import WANPolicy

@Suite("a hostile or broken file is refused, quickly")
struct HostileTests {
    private func refusal(_ text: String) -> (faults: [String], took: Duration) {
        let bytes = Array(text.utf8)
        let clock = ContinuousClock()
        var found: [String] = []
        let took = clock.measure { found = faults(of: String(decoding: bytes, as: UTF8.self)) }
        return (found, took)
    }

    @Test("10 MB")
    func large() {
        let found = refusal(String(repeating: "# ten megabytes\n", count: 655_360))
        #expect(found.faults == ["1:1: the file has 10485760 bytes; at most 1048576 are read"])
        #expect(found.took < .seconds(1))
    }

    @Test("a megabyte of brackets", arguments: ["[", "{", "- ", "? ", "{a: ", "\"\": ["])
    func deep(opening: String) {
        let found = refusal(String(repeating: opening, count: (1 << 20) / opening.utf8.count))
        #expect(found.faults.count == 1)
        #expect(found.took < .seconds(2))
    }

    @Test("deeper than 64 levels")
    func levels() {
        let ok = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        #expect(faults(of: minimal("lan: \(ok)\n")) == ["4:6: lan must hold keys and values; not a list"])
        let more = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(faults(of: minimal("lan: \(more)\n")) == ["4:69: nested deeper than 64 levels"])
    }

    @Test("a billion laughs")
    func laughs() {
        var text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for (last, name) in zip("abcdefghi", "bcdefghij") {
            text += "\(name): &\(name) [" + Array(repeating: "*\(last)", count: 9).joined(separator: ", ") + "]\n"
        }
        let found = refusal(text)
        #expect(found.faults.contains("1:4: an anchor (&) is not allowed here; write the value out where it is used"))
        #expect(found.faults.contains("2:8: an alias (*) is not allowed here; write the value out"))
        #expect(found.took < .seconds(1))
    }

    @Test(
        "forty thousand directives, which libyaml would compare with each other",
        arguments: ["\n", "\r", "\u{85}", "\u{2028}"])
    func directives(lineBreak: String) {
        let found = refusal((0..<40_000).map { "%TAG !a\($0)! x\(lineBreak)" }.joined())
        #expect(found.faults == ["1:1: a directive (%) is not allowed here; remove the line"])
        let later = refusal("#\(lineBreak)" + (0..<40_000).map { "%TAG !a\($0)! x\(lineBreak)" }.joined())
        #expect(later.faults.count == 1)
        #expect(later.took < .seconds(2))
    }

    @Test("thousands of uplinks and thousands of names that none of them has")
    func manyNames() {
        let uplinks = (0..<8000).map { "  u\($0): {interface: eth\($0)}\n" }.joined()
        let orders = (0..<6000).map { "  - {uplinks: [x\($0)], to: 1.1.1.1}\n" }.joined()
        let found = refusal("version: 1\nuplinks:\n\(uplinks)forwards:\n\(orders)")
        #expect(found.faults.contains("67:3: there are 8000 uplinks; at most 64 are allowed"))
        #expect(found.took < .seconds(5))
    }

    @Test("an alias of itself")
    func selfReference() { #expect(faults(of: "a: &a [*a]\n").count > 1) }

    @Test("a hundred thousand values, keys or anchors")
    func many() {
        let values = refusal("a: [" + String(repeating: "1, ", count: 100_001) + "]")
        #expect(values.faults == ["1:299996: more than 100000 values"])
        let keys = refusal((0..<60_000).map { "k\($0): 1\n" }.joined())
        #expect(keys.faults == ["50000:9: more than 100000 values"])
        let anchors = refusal("a: [" + String(repeating: "&a 1, ", count: 90_000) + "]")
        #expect(anchors.faults.count > 90_000)
        let unknown = refusal((0..<40_000).map { "k\($0): 1\n" }.joined())
        #expect(unknown.faults.count > 40_000)
        for found in [values, keys, anchors, unknown] { #expect(found.took < .seconds(10)) }
    }

    @Test("bytes that are not UTF-8, and UTF-16")
    func encodings() {
        func fault(_ bytes: [UInt8]) -> String? {
            do throws(PolicyFaults) {
                _ = try PolicyReader.read(bytes, fileName: "p")
                return nil
            } catch {
                return error.description
            }
        }
        #expect(
            fault(Array("version: 1\nsite: ".utf8) + [0xff])
                == "p:2:7: these bytes are not UTF-8; save the file as UTF-8")
        #expect(
            fault(Array("version: 1\nsite: é".utf8) + [0xc3])
                == "p:2:8: these bytes are not UTF-8; save the file as UTF-8")
        #expect(fault([0xff, 0xfe, 0x61, 0x00]) == "p:1:4: there is a NUL byte; the file must be UTF-8 text")
        #expect(fault([0xed, 0xa0, 0x80]) == "p:1:1: these bytes are not UTF-8; save the file as UTF-8")
    }

    @Test("what a terminal would obey is not repeated to it")
    func escapes() {
        let found = faults(of: minimal("\"\\e[2J\": 1\n"))
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("4:1: unknown key \"\\u{1b}[2J\""))
    }

    @Test("every cut of a good file is read or refused", arguments: ["one-box.yaml", "rules.yaml", "two-boxes.yaml"])
    func cuts(name: String) throws {
        let bytes = try #require(contents("Policies/\(name)"))
        for end in 0...bytes.count { readOrRefuse(Array(bytes[..<end])) }
    }

    @Test("a good file with random mutations is read or refused", arguments: [UInt64.random(in: 1 ... .max)])
    func mutations(seed: UInt64) throws {
        print("seed of the mutations: \(seed)")  // a crash would not tell it
        var random = SplitMix64(state: seed)
        let originals = try ["one-box.yaml", "rules.yaml", "two-boxes.yaml"].map {
            try #require(contents("Policies/\($0)"))
        }
        let others = originals.flatMap { $0 }
        for _ in 0..<3000 {
            guard var bytes = originals.randomElement(using: &random) else { return }
            for _ in 0...Int.random(in: 0..<8, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...20, using: &random)))
                case 3:
                    let from = Int.random(in: 0..<(others.count - 40), using: &random)
                    bytes.insert(contentsOf: others[from..<(from + Int.random(in: 1...40, using: &random))], at: index)
                default: bytes[index] = Array(":{}[],-&*!|>'\"%@`#?~\n \t0".utf8).randomElement(using: &random) ?? 0
                }
                if bytes.isEmpty { bytes = [10] }
            }
            readOrRefuse(bytes)
        }
    }

    /// The reader must come back; and what it takes must be valid in itself.
    private func readOrRefuse(_ bytes: [UInt8]) {
        do throws(PolicyFaults) {
            let policy = try PolicyReader.read(bytes).policy
            #expect(!policy.uplinks.isEmpty && policy.uplinks.allSatisfy { !$0.interface.isEmpty })
            #expect(
                policy.failover.order.allSatisfy { $0.members.allSatisfy { policy.uplink(named: $0.uplink) != nil } })
        } catch {
            #expect(!error.faults.isEmpty)
            #expect(error.faults.allSatisfy { $0.line > 0 && $0.column > 0 && !$0.problem.isEmpty })
        }
    }
}

/// Steele, Lea and Flood's generator: a seed gives the same row everywhere.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
