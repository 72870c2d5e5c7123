import NetworkTypes
import TestSupport
import Testing
import WANDaemon

@Suite("a word that is signed")
struct SignedWordTests {
    private static let main = IPv4Address(192, 168, 0, 1)
    private static let sub = IPv4Address(192, 168, 0, 2)
    private static let third = IPv4Address(192, 168, 0, 3)
    private static let secret = [UInt8](repeating: 0x61, count: 32)
    private static let other = [UInt8](repeating: 0x62, count: 64)
    private static let word = SignedWord(
        run: 0x0102_0304_0506_0708, sequence: 7, challenge: .max, echo: 0x8000_0000_0000_0001, text: Array("{}".utf8))

    private func read(
        _ datagram: [UInt8], from sender: IPv4Address = sub, to receiver: IPv4Address = main,
        secrets: [[UInt8]] = [secret]
    ) -> SignedWord? {
        SignedWord(datagram, from: sender, to: receiver, secrets: secrets)
    }

    @Test(
        "HMAC-SHA-256 is as in RFC 4231, sections 4.2 to 4.5, 4.7 and 4.8",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                Array(1...25), [UInt8](repeating: 0xcd, count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array(
                    "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."
                        .utf8), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
            ),
        ] as [([UInt8], [UInt8], String)])
    func vectors(key: [UInt8], data: [UInt8], hex: String) {
        let digits = hmacSHA256(data, key: key).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(digits.joined() == hex)
    }

    @Test("its bytes are as agreed, and it reads back")
    func layout() {
        let datagram = Self.word.datagram(from: Self.sub, to: Self.main, secret: Self.secret)
        let head: [UInt8] = [
            0x77, 0x61, 0x6e, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff,
            0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0x7b, 0x7d,
        ]
        let way: [UInt8] = [192, 168, 0, 2, 192, 168, 0, 1]
        #expect(datagram == head + hmacSHA256(way + head, key: Self.secret))
        #expect(datagram.count == SignedWord.overhead + 2 && SignedWord.isOne(datagram))
        #expect(read(datagram) == Self.word)
    }

    @Test("it has no proof where a bit, its length, the key, the sender or the receiver is another one")
    func forged() {
        let datagram = Self.word.datagram(from: Self.sub, to: Self.main, secret: Self.secret)
        for index in datagram.indices {
            for bit in 0..<8 {
                var changed = datagram
                changed[index] ^= 1 << UInt8(bit)
                #expect(read(changed) == nil, "bit \(bit) of byte \(index)")
            }
            #expect(read(Array(datagram[..<index])) == nil, "the first \(index) bytes")
        }
        #expect(read(datagram + [0]) == nil)
        #expect(read(datagram, secrets: [Self.other]) == nil && read(datagram, secrets: []) == nil)
        #expect(read(datagram, from: Self.third) == nil, "another box that has the key")
        #expect(read(datagram, to: Self.third) == nil, "a word to another box")
        #expect(read(datagram, from: Self.main, to: Self.sub) == nil, "its own word, sent back")
        #expect(!SignedWord.isOne(Array("{\"node\":\"sub\"}".utf8)) && !SignedWord.isOne([]))
    }

    @Test("while a key is changed, each box takes what the others sign, in any order of the steps")
    func rotation() {
        // As the manual says: the new one second, then first, then alone; on one box after the other.
        let steps = [[Self.secret], [Self.secret, Self.other], [Self.other, Self.secret], [Self.other]]
        for (before, after) in zip(steps, steps.dropFirst()) {
            for (sender, receiver) in [(before, after), (after, before), (after, after)] {
                let datagram = Self.word.datagram(from: Self.sub, to: Self.main, secret: sender[0])
                #expect(read(datagram, secrets: receiver) == Self.word)
            }
        }
    }
}

/// Two boxes and the wire between them, on paper: nothing arrives but what the test hands over.
private struct Wire {
    struct Box {
        var freshness: PeerFreshness
        var run: UInt64
        var sequence: UInt64 = 0
        var taken: [SignedWord] = []
        /// Sent, and not yet handed over.
        var sent: [SignedWord] = []

        init(_ random: inout SeededRandom) {
            freshness = PeerFreshness(challenge: random.next() | 1)
            run = random.next()
        }

        mutating func say(_ echo: UInt64) {
            sequence += 1
            sent.append(
                SignedWord(run: run, sequence: sequence, challenge: freshness.challenge, echo: echo, text: []))
        }
    }

    var random: SeededRandom
    var boxes: [Box]
    /// All that was ever sent, by its receiver: what somebody may have recorded.
    var recorded: [[SignedWord]] = [[], []]

    init(seed: UInt64 = 1) {
        random = SeededRandom(seed: seed)
        boxes = [Box(&random), Box(&random)]
    }

    /// The hello that comes each second.
    mutating func hello(_ sender: Int) {
        boxes[sender].freshness.allowAnswers()
        boxes[sender].say(boxes[sender].freshness.echo)
    }

    /// Hands a word to a box, whoever sent it.
    @discardableResult
    mutating func hear(_ word: SignedWord, _ receiver: Int) -> PeerFreshness.Finding {
        let finding = boxes[receiver].freshness.hear(word, next: random.next() | 1)
        if finding.isTaken { boxes[receiver].taken.append(word) }
        if let echo = finding.answer { boxes[receiver].say(echo) }
        return finding
    }

    /// What is on the wire, with the answers to it, until it is quiet; how many words that were.
    @discardableResult
    mutating func deliver() -> Int {
        var count = 0
        while let sender = [0, 1].first(where: { !boxes[$0].sent.isEmpty }), count < 100 {
            let word = boxes[sender].sent.removeFirst()
            recorded[1 - sender].append(word)
            hear(word, 1 - sender)
            count += 1
        }
        return count
    }

    /// A second in which both say their hello and all of it arrives.
    @discardableResult
    mutating func second() -> Int {
        for sender in [0, 1] { hello(sender) }
        return deliver()
    }

    mutating func restart(_ box: Int) { boxes[box] = Box(&random) }

    /// The last word that a box took is the last one that the other has sent.
    var areInTouch: Bool {
        [0, 1].allSatisfy {
            boxes[$0].taken.last?.run == boxes[1 - $0].run
                && boxes[$0].taken.last?.sequence == boxes[1 - $0].sequence
        }
    }
}

@Suite("which signed words are new")
struct PeerFreshnessTests {
    @Test(
        "boxes that start, one after the other or in one moment, hear each other after some words and say no more then")
    func starts() {
        var wire = Wire()
        wire.hello(0)
        let unheard = wire.deliver()
        #expect(unheard == 4 || unheard == 5, "\(unheard)")
        #expect(wire.areInTouch)
        let calm = (0..<3).map { _ in wire.second() }
        #expect(calm == [2, 2, 2] && wire.areInTouch)

        var crossing = Wire(seed: 2)
        for _ in 0..<6 {
            // Both are on the way before either arrives.
            for sender in [0, 1] where crossing.boxes[sender].sent.isEmpty { crossing.hello(sender) }
            let words = [0, 1].map { crossing.boxes[$0].sent.removeFirst() }
            for sender in [0, 1] { crossing.hear(words[sender], 1 - sender) }
        }
        crossing.deliver()
        #expect(crossing.second() == 2 && crossing.areInTouch)
    }

    @Test("nothing that was ever sent is taken twice, in whatever order it comes again, also after restarts")
    func replayed() {
        var wire = Wire()
        for box in [0, 1, 0, 0, 1] {
            for _ in 0..<3 { wire.second() }
            wire.restart(box)
        }
        wire.second()
        #expect(wire.areInTouch)
        let before = wire.boxes.map(\.taken)
        for receiver in [0, 1] {
            for word in wire.recorded[receiver] + wire.recorded[receiver].reversed() { wire.hear(word, receiver) }
        }
        #expect(wire.boxes.map(\.taken) == before)
        #expect(wire.boxes.allSatisfy { $0.sent.count <= 4 }, "answers have a limit")
        wire.deliver()
        #expect(wire.second() == 2 && wire.areInTouch, "and the boxes go on")
    }

    @Test("a word that was overtaken is not taken; one without our challenge teaches only the peer's")
    func order() {
        var wire = Wire()
        wire.second()
        for _ in 0..<3 { wire.hello(0) }
        let words = wire.boxes[0].sent
        wire.boxes[0].sent = []
        let findings = [1, 0, 2, 1].map { wire.hear(words[$0], 1).isTaken }
        #expect(findings == [true, false, true, false])

        var stale = words[2]
        (stale.sequence, stale.echo, stale.challenge) = (90, 1, 77)
        #expect(wire.hear(stale, 1) == PeerFreshness.Finding(isTaken: false, answer: 77))
        #expect(wire.boxes[1].freshness.echo == 77)
        #expect(wire.hear(stale, 1) == PeerFreshness.Finding(isTaken: false), "once")
        wire.boxes[1].freshness.allowAnswers()
        // Of a run that nobody knows yet: an answer, and all else stays as it is.
        (stale.run, stale.challenge) = (5, 78)
        let before = wire.boxes[1].freshness.challenge
        #expect(wire.hear(stale, 1) == PeerFreshness.Finding(isTaken: false, answer: 78))
        #expect(wire.boxes[1].freshness.echo == 77 && wire.boxes[1].freshness.challenge == before)
    }

    @Test("a new run takes a new challenge, and words of the run before are void though they were never heard")
    func newRun() {
        var wire = Wire()
        wire.second()
        wire.hello(0)
        let withheld = wire.boxes[0].sent[0]
        wire.restart(0)
        let before = wire.boxes[1].freshness.challenge
        wire.second()
        #expect(wire.areInTouch && wire.boxes[1].freshness.challenge != before)
        #expect(wire.hear(withheld, 1) == PeerFreshness.Finding(isTaken: false))
        #expect(wire.second() == 2 && wire.areInTouch)
    }

    @Test("who sends old words on without end keeps no box from hearing one that starts", arguments: 1...20)
    func flood(seed: UInt64) {
        var wire = Wire(seed: seed)
        for _ in 0..<6 {
            for _ in 0..<3 { wire.second() }
            wire.restart(Int.random(in: 0...1, using: &wire.random))
        }
        wire.restart(0)
        for _ in 0..<3 {
            for sender in [0, 1] { wire.hello(sender) }
            for receiver in [0, 1] {
                for word in wire.recorded[receiver].shuffled(using: &wire.random) { wire.hear(word, receiver) }
            }
            wire.deliver()
        }
        #expect(wire.areInTouch, "seed \(seed)")
    }

    @Test(
        "words are lost, doubled, held back and mixed: none is taken twice, and order comes with calm",
        arguments: 1...100)
    func random(seed: UInt64) {
        var wire = Wire(seed: seed)
        for _ in 0..<200 {
            let box = Int.random(in: 0...1, using: &wire.random)
            switch Int.random(in: 0..<20, using: &wire.random) {
            case 0: wire.restart(box)
            case 1..<8: wire.hello(box)
            case 8..<16:
                guard let word = wire.boxes[box].sent.randomElement(using: &wire.random) else { continue }
                wire.recorded[1 - box].append(word)
                wire.hear(word, 1 - box)
            case 16..<19:
                guard let word = wire.recorded[box].randomElement(using: &wire.random) else { continue }
                wire.hear(word, box)
            default: wire.boxes[box].sent.removeAll()
            }
        }
        for box in wire.boxes {
            let names = box.taken.map { [$0.run, $0.sequence] }
            #expect(Set(names).count == names.count, "seed \(seed)")
            for (earlier, later) in zip(box.taken, box.taken.dropFirst()) where earlier.run == later.run {
                #expect(earlier.sequence < later.sequence, "seed \(seed)")
            }
        }
        wire.deliver()
        for _ in 0..<2 { wire.second() }
        #expect(wire.areInTouch, "seed \(seed)")
    }
}
