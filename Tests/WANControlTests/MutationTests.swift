import ControlText
import JSONText
import Testing
import WANControl

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Changes a line as a bad wire or a bad program would.
private func mutated(_ line: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var line = line
    let words = [
        "{", "}", "\"", ":", ",", "null", "true", "1e999", "-0", "\\u0000", "\\ud800", "uplink", "\u{1b}[2J", "[[[",
    ]
    for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0...line.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: line.insert(UInt8.random(in: 0...255, using: &random), at: index)
        case 1: if index < line.count { line.remove(at: index) }
        case 2: if index < line.count { line[index] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        case 3: line.insert(contentsOf: Array(words.randomElement(using: &random)?.utf8 ?? "".utf8), at: index)
        default: line.insert(contentsOf: line[min(index, line.count / 2)..<max(index, line.count / 2)], at: index)
        }
    }
    return line
}

@Suite("lines that were changed at random")
struct MutationTests {
    @Test(
        "are refused as usage or read as a request that can be written again",
        arguments: [1, 2, 3, 20_261_121] as [UInt64])
    func requests(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let request = try #require(ControlRequestTests.all.randomElement(using: &random))
            let line = mutated(Array(request.json.text.utf8), &random)
            do throws(ControlRefusal) {
                let read = try ControlRequest(line: line)
                #expect(try ControlRequest(json: read.json) == read, "seed \(seed): \(line)")
            } catch {
                #expect(error.code == .usage, "seed \(seed): \(line)")
                #expect(printable(error.reason) == error.reason, "seed \(seed): \(line)")
            }
        }
    }

    @Test(
        "are refused in words or read as a peer's word that can be sent again",
        arguments: [9, 10, 20_261_122] as [UInt64])
    func words(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let datagram = Example.hello.datagram
        var taken = 0
        for _ in 0..<5000 {
            let bytes = mutated(datagram, &random)
            do throws(ReportError) {
                let word = try PeerHello(datagram: bytes)
                taken += 1
                #expect(word.datagram.count <= PeerHello.longestDatagram, "seed \(seed): \(bytes)")
                #expect(try PeerHello(json: word.json) == word, "seed \(seed): \(bytes)")
            } catch {
                #expect(printable(error.description) == error.description, "seed \(seed): \(bytes)")
            }
        }
        #expect(taken > 50 && taken < 4000, "seed \(seed)")
    }

    @Test("never break a report's reader or its text", arguments: [4, 5, 6] as [UInt64])
    func reports(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let lines = [Example.failedOver, Example.silentPeers].map { Array($0.json.text.utf8) }
        for width in [nil, 20, 80] {
            for turn in 0..<800 {
                let line = lines[turn % 2]
                guard let value = try? JSONValue(parsing: mutated(line, &random)),
                    let report = try? StatusReport(json: value)
                else { continue }
                let text = report.text(Example.style(width: width))
                #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }, "seed \(seed)")
                #expect(try StatusReport(json: report.json) == report, "seed \(seed)")
            }
        }
    }

    @Test("sent to the server, always get an answer or a hang-up", arguments: [7, 8] as [UInt64])
    func server(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let world = try ControlWorld()
        try world.serve()
        for _ in 0..<300 {
            let request = try #require(ControlRequestTests.all.randomElement(using: &random))
            let client = try world.client()
            try client.send(mutated(Array(request.json.text.utf8), &random) + [10])
            client.finishSending()
            try world.wait("seed \(seed): hang-up") {
                try client.read(); return client.isClosed
            }
            #expect(!client.lines.isEmpty, "seed \(seed)")
        }
        try world.wait("all places to be free") { world.server?.clientCount == 0 }
    }
}
