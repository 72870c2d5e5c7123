package import LinuxIO
package import NetworkTypes
package import WANControl
package import WANModel
package import WANPolicy

/// Says this box's hello to the other boxes of the site and hears theirs: UDP from its own address to theirs, one port on all.
///
/// A hello goes to neighbours only (TTL 1, never broadcast), through the LAN's interface. The kernel lets in what comes from the address
/// of a peer. Where the policy has a key, a hello is signed for each peer (`SignedWord`), and none is taken that is not, or is not new
/// (`PeerFreshness`). What comes from another port or in another box's name is counted and dropped too.
package struct PeerExchange: ~Copyable {
    /// UDP, on every box of a site.
    package static let standardPort: UInt16 = 8787
    /// What one `read` takes at most, so that a flood holds nothing up: to refuse a forged word takes some 25 µs. The descriptor stays
    /// readable while more waits.
    private static let mostAtOnce = 16

    /// What became of all datagrams that have arrived.
    package struct Counts: Hashable, Sendable {
        package var taken = 0
        /// From a peer's address, and a port that is not a box's.
        package var strangers = 0
        /// Signed where no key is, not signed where one is, or not by a secret of it.
        package var unproven = 0
        /// Signed, and heard before or without our challenge in it.
        package var old = 0
        /// From a peer's address in another name, or of another site: the boxes have policies that differ.
        package var misnamed = 0
        /// From a peer, and no hello.
        package var unreadable = 0

        package init() {}
    }

    /// A datagram of a peer: its hello, or why it is none.
    package struct Heard: Hashable, Sendable {
        package var from: IPv4Address
        /// Whose address that is.
        package var node: String
        package var hello: Result<PeerHello, ReportError>
    }

    /// A peer to whom the hello could not be sent, and why.
    package struct Failure: Hashable, Sendable {
        package var node: String
        package var reason: String
    }

    private struct Peer {
        var name: String
        var address: IPv4Address
        var freshness: PeerFreshness
    }

    private let socket: UDPSocket
    private let port: UInt16
    private let own: IPv4Address
    private var peers: [Peer]
    private let site: String?
    private let key: SiteKey?
    private let run: Int64
    /// What was sent last: an answer says it again.
    private var latest: PeerHello?
    private var oddities: [PeerOddity]
    private var sequence: Int64 = 0
    package private(set) var counts = Counts()

    /// - Parameters:
    ///   - node: This box, whose address is on one of its interfaces.
    ///   - peers: The other boxes.
    ///   - site: The name of the site; who names another one is not taken.
    ///   - key: `nil`: hellos are not signed, and signed ones are not taken.
    ///   - interface: The LAN's (`vrrp.interface`); one that is made anew takes a new exchange.
    package init(
        node: Node, peers: [Node], site: String? = nil, key: SiteKey? = nil, interface: String?,
        port: UInt16 = standardPort
    ) throws(PeerExchangeError) {
        var found: [Peer] = []
        for box in [node] + peers {
            guard let address = box.address.v4 else { throw PeerExchangeError(.notIPv4, box, port: port) }
            let freshness = PeerFreshness(challenge: Self.random())
            found.append(Peer(name: box.name, address: address, freshness: freshness))
        }
        let own = found.removeFirst().address
        let socket = try Self.socket(own, of: node, found.map(\.address.bits), interface, port)
        self.init(socket, own, found, site, key, port)
    }

    /// One that cannot throw: Swift 6.2 destroys twice what is set when an initialiser does.
    private init(
        _ socket: consuming UDPSocket, _ own: IPv4Address, _ peers: [Peer], _ site: String?, _ key: SiteKey?,
        _ port: UInt16
    ) {
        self.socket = socket
        // JSON's whole numbers are signed here.
        run = Int64.random(in: 1 ... .max)
        oddities = []
        latest = nil
        self.own = own
        self.peers = peers
        self.site = site
        self.key = key
        self.port = port
    }

    private static func socket(
        _ address: IPv4Address, of node: Node, _ peers: [UInt32], _ interface: String?, _ port: UInt16
    ) throws(PeerExchangeError) -> UDPSocket {
        do throws(SystemCallError) {
            return try UDPSocket(address: address.bits, port: port, interface: interface, timeToLive: 1, from: peers)
        } catch {
            throw PeerExchangeError(error, node, interface: interface, port: port)
        }
    }

    /// To be watched for reading.
    package var descriptor: Int32 { socket.descriptor.raw }

    /// Sends the hello to every peer, with the next number; who could not be reached is told.
    ///
    /// Where no peer can be reached for a while, the interface or the address may have gone: a new exchange finds out.
    package mutating func send(_ hello: PeerHello) -> [Failure] {
        latest = hello
        let text = nextText(of: hello)
        var failures: [Failure] = []
        for index in peers.indices {
            peers[index].freshness.allowAnswers()
            do throws(SystemCallError) {
                try send(text, to: peers[index], echo: peers[index].freshness.echo)
            } catch {
                failures.append(Failure(node: peers[index].name, reason: "\(error)"))
            }
        }
        return failures
    }

    /// The hello with the next number, so that its signed word is no longer than one that is not signed may be.
    private mutating func nextText(of hello: PeerHello) -> [UInt8] {
        sequence += 1
        var hello = hello
        hello.run = run
        hello.sequence = sequence
        return hello.datagram(atMost: PeerHello.longestDatagram - (key == nil ? 0 : SignedWord.overhead))
    }

    private func send(_ text: [UInt8], to peer: Peer, echo: UInt64) throws(SystemCallError) {
        var datagram = text
        if let secret = key?.secrets.first {
            let word = SignedWord(
                run: UInt64(run), sequence: UInt64(sequence), challenge: peer.freshness.challenge, echo: echo,
                text: text)
            datagram = word.datagram(from: own, to: peer.address, secret: secret)
        }
        try socket.send(datagram, to: peer.address.bits, port: port)
    }

    /// The hello in a peer's datagram; `nil` where it is not taken.
    private mutating func text(of datagram: [UInt8], from index: Int) -> [UInt8]? {
        let peer = peers[index]
        guard SignedWord.isOne(datagram) == (key != nil) else {
            counts.unproven += 1
            note(key == nil ? .signed(node: peer.name) : .unsigned(node: peer.name))
            return nil
        }
        guard let key else { return datagram }
        guard let word = SignedWord(datagram, from: peer.address, to: own, secrets: key.secrets) else {
            counts.unproven += 1
            note(.forged(node: peer.name))
            return nil
        }
        let finding = peers[index].freshness.hear(word, next: Self.random())
        if let echo = finding.answer, let latest {
            // One that does not get there is as good as a lost one: the next hello comes within a second.
            try? send(nextText(of: latest), to: peers[index], echo: echo)
        }
        if finding.isTaken { return word.text }
        counts.old += 1
        return nil
    }

    /// From the kernel's generator (getrandom(2)).
    private static func random() -> UInt64 { UInt64.random(in: 1 ... .max) }

    private mutating func note(_ oddity: PeerOddity) {
        if oddities.count < Self.mostAtOnce { oddities.append(oddity) }
    }

    /// What was not taken since this was last asked, to be told to people.
    package mutating func takeOddities() -> [PeerOddity] {
        defer { oddities.removeAll(keepingCapacity: true) }
        return oddities
    }

    /// What has arrived from peers, in order. Nothing is waited for.
    package mutating func read() throws(SystemCallError) -> [Heard] {
        var heard: [Heard] = []
        for _ in 0..<Self.mostAtOnce {
            // One byte more than a hello may have, so that a longer one is seen as such.
            guard let datagram = try socket.receive(atMost: PeerHello.longestDatagram + 1) else { break }
            let from = IPv4Address(bits: datagram.source)
            // The kernel lets nobody else in.
            guard let index = peers.firstIndex(where: { $0.address == from }) else { continue }
            let peer = peers[index]
            guard datagram.sourcePort == port else {
                counts.strangers += 1
                note(.otherPort(node: peer.name, port: datagram.sourcePort))
                continue
            }
            guard let text = text(of: datagram.bytes, from: index) else { continue }
            do throws(ReportError) {
                let hello = try PeerHello(datagram: text)
                guard hello.node == peer.name else {
                    counts.misnamed += 1
                    note(.misnamed(node: peer.name, name: hello.node))
                    continue
                }
                if let own = site, let other = hello.site, other != own {
                    counts.misnamed += 1
                    note(.otherSite(node: peer.name, site: other, own: own))
                    continue
                }
                counts.taken += 1
                heard.append(Heard(from: from, node: peer.name, hello: .success(hello)))
            } catch {
                counts.unreadable += 1
                note(.unreadable(node: peer.name, problem: error.description))
                heard.append(Heard(from: from, node: peer.name, hello: .failure(error)))
            }
        }
        return heard
    }
}
