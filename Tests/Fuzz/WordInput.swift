import NetworkTypes
import WANControl
import WANDaemon
import WANPolicy

private let secrets = [[UInt8](repeating: 0x61, count: 32), [UInt8](repeating: 0x62, count: 64)]
private let (sender, receiver) = (IPv4Address(192, 168, 0, 2), IPv4Address(192, 168, 0, 1))

/// What comes to the port of the boxes: as it is, and, since nobody guesses a proof, as one signs it who has the key and means no good.
func readWords(_ bytes: [UInt8]) {
    let found = SignedWord(bytes, from: sender, to: receiver, secrets: secrets)
    precondition(found == nil, "a word was taken that nobody has signed")
    if SignedWord.isOne(bytes) {
        precondition((try? PeerHello(datagram: bytes)) == nil, "a box without a key takes a signed word")
    }
    let words = stride(from: 0, to: bytes.count - 1, by: 2).map { word(bytes[$0], Int(bytes[$0 + 1])) }
    judge(words)
    guard var word = words.first else { return }
    word.text = bytes
    let datagram = word.datagram(from: sender, to: receiver, secret: secrets[Int(bytes[0] & 1)])
    precondition(
        SignedWord(datagram, from: sender, to: receiver, secrets: secrets) == word, "a word changed on the way")
    var changed = datagram
    changed[Int(bytes[0]) * bytes.count % changed.count] ^= bytes[1] | 1
    precondition(
        SignedWord(changed, from: sender, to: receiver, secrets: secrets) == nil, "a word was changed and taken")
}

/// Of few runs, with few numbers and challenges; the echo is 1 where it is to be right.
private func word(_ bits: UInt8, _ sequence: Int) -> SignedWord {
    SignedWord(
        run: UInt64(bits & 3), sequence: UInt64(sequence), challenge: UInt64(bits >> 2 & 3), echo: UInt64(bits >> 7),
        text: [])
}

/// In any order each is taken at most once, in order within its run, and only by our challenge.
private func judge(_ words: [SignedWord]) {
    var freshness = PeerFreshness(challenge: 2)
    var taken: [UInt64: UInt64] = [:]
    var answers = 0
    for (index, word) in words.enumerated() {
        var said = word
        if word.echo == 1 { said.echo = freshness.challenge }
        let finding = freshness.hear(said, next: UInt64(index) + 3)
        answers += finding.answer == nil ? 0 : 1
        guard finding.isTaken else { continue }
        precondition(word.echo == 1, "a word without our challenge was taken")
        precondition(taken[word.run].map { $0 < word.sequence } ?? true, "a word was taken twice")
        taken[word.run] = word.sequence
    }
    precondition(answers <= 4, "more answers than there may be until the next hello")
}

/// The file of a site's key.
func readKey(_ bytes: [UInt8]) {
    do throws(SiteKey.Damage) {
        let key = try SiteKey(parsing: bytes)
        precondition((1...2).contains(key.secrets.count), "a key of no secret, or of many")
        precondition(key.secrets.allSatisfy { $0.count >= 32 && !$0.contains(10) }, "a short secret was taken")
        let again = try? SiteKey(parsing: Array(key.secrets.joined(separator: [13, 10])))
        precondition(again == key, "the key changed on the way")
    } catch {
        precondition(printable(error.problem) == error.problem, "refused, and badly")
    }
}
