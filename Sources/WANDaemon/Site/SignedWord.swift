package import NetworkTypes

/// What a box with a key says to another one: a hello, and the proof that it is new and of a box that has the key.
///
///     offset   bytes
///          0       4  "wan", 1: the format's number; no hello alone begins so
///          4       8  run: random, of the words that are counted together
///         12       8  sequence: of the word in its run, from 1 up
///         20       8  challenge: random, for the receiver to echo
///         28       8  echo: the receiver's challenge, 0 where the sender has heard none
///         36       n  the hello (`PeerHello`)
///     36 + n      32  HMAC-SHA-256 (RFC 2104) of the sender's IPv4 address, the receiver's, and all bytes before
///
/// Numbers and addresses are in network order. The addresses are not sent twice: the packet has them, and a word that somebody sends on in
/// another name, or to another box, has a wrong proof.
package struct SignedWord: Hashable, Sendable {
    package var run: UInt64
    package var sequence: UInt64
    package var challenge: UInt64
    package var echo: UInt64
    /// The hello, as it is sent without a key.
    package var text: [UInt8]

    private static let mark: [UInt8] = [0x77, 0x61, 0x6e, 1]
    private static let headerSize = 36
    private static let proofSize = 32
    /// By how much a word is longer than its hello, in bytes.
    package static let overhead = headerSize + proofSize

    package init(run: UInt64, sequence: UInt64, challenge: UInt64, echo: UInt64, text: [UInt8]) {
        self.run = run
        self.sequence = sequence
        self.challenge = challenge
        self.echo = echo
        self.text = text
    }

    /// Whether a datagram is meant to be a signed word.
    package static func isOne(_ datagram: [UInt8]) -> Bool { datagram.starts(with: mark) }

    package func datagram(from sender: IPv4Address, to receiver: IPv4Address, secret: [UInt8]) -> [UInt8] {
        let numbers = [run, sequence, challenge, echo].flatMap(Self.bytes)
        let signed = Self.mark + numbers + text
        return signed + Self.proof(signed[...], sender, receiver, secret)
    }

    /// Reads a datagram; `nil` where none of the secrets has signed it for this way.
    package init?(_ datagram: [UInt8], from sender: IPv4Address, to receiver: IPv4Address, secrets: [[UInt8]]) {
        guard Self.isOne(datagram), datagram.count >= Self.overhead else { return nil }
        let end = datagram.count - Self.proofSize
        let isProven = secrets.contains { secret in
            Self.isSame(Self.proof(datagram[..<end], sender, receiver, secret), datagram[end...])
        }
        guard isProven else { return nil }
        func number(at offset: Int) -> UInt64 { datagram[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(
            run: number(at: 4), sequence: number(at: 12), challenge: number(at: 20), echo: number(at: 28),
            text: Array(datagram[Self.headerSize..<end]))
    }

    private static func proof(
        _ signed: ArraySlice<UInt8>, _ sender: IPv4Address, _ receiver: IPv4Address, _ secret: [UInt8]
    ) -> [UInt8] {
        let way = bytes(UInt64(sender.bits) << 32 | UInt64(receiver.bits))
        return hmacSHA256(way + signed, key: secret)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    /// Looks at every byte: how long it takes does not tell where the first wrong one is.
    private static func isSame(_ a: [UInt8], _ b: ArraySlice<UInt8>) -> Bool {
        a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
