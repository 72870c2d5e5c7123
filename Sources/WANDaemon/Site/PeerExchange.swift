package import LinuxIO
package import NetworkTypes
package import WANControl
package import WANModel

/// Says this box's hello to the other boxes of the site and hears theirs: UDP from its own address to theirs, one port on all.
///
/// A hello goes to neighbours only (TTL 1, never broadcast), through the LAN's interface. What comes from any other address or
/// port, or in another box's name, is counted and dropped.
package struct PeerExchange: ~Copyable {
    /// UDP, on every box of a site.
    package static let standardPort: UInt16 = 8787
    /// What one `read` takes at most, so that a flood holds nothing up; the descriptor stays readable while more waits.
    private static let mostAtOnce = 64

    /// What became of all datagrams that have arrived.
    package struct Counts: Hashable, Sendable {
        package var taken = 0
        /// From an address or port that is no peer's.
        package var strangers = 0
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
    }

    private let socket: UDPSocket
    private let port: UInt16
    private let peers: [Peer]
    private let site: String?
    private let run: Int64
    private var oddities: [PeerOddity]
    private var sequence: Int64 = 0
    package private(set) var counts = Counts()

    /// - Parameters:
    ///   - node: This box, whose address is on one of its interfaces.
    ///   - peers: The other boxes.
    ///   - site: The name of the site; who names another one is not taken.
    ///   - interface: The LAN's (`vrrp.interface`); one that is made anew takes a new exchange.
    package init(
        node: Node, peers: [Node], site: String? = nil, interface: String?, port: UInt16 = standardPort
    ) throws(PeerExchangeError) {
        var found: [Peer] = []
        for box in [node] + peers {
            guard let address = box.address.v4 else { throw PeerExchangeError(.notIPv4, box, port: port) }
            found.append(Peer(name: box.name, address: address))
        }
        let own = found.removeFirst()
        socket = try Self.socket(own.address, of: node, interface, port)
        // JSON's whole numbers are signed here.
        run = Int64.random(in: 1 ... .max)
        // Swift 6.2 destroys twice what is set when this throws: all that needs destroying is set after the last `try`.
        oddities = []
        self.peers = found
        self.site = site
        self.port = port
    }

    private static func socket(
        _ address: IPv4Address, of node: Node, _ interface: String?, _ port: UInt16
    ) throws(PeerExchangeError) -> UDPSocket {
        do throws(SystemCallError) {
            return try UDPSocket(address: address.bits, port: port, interface: interface, timeToLive: 1)
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
        sequence += 1
        var hello = hello
        hello.run = run
        hello.sequence = sequence
        let datagram = hello.datagram
        var failures: [Failure] = []
        for peer in peers {
            do throws(SystemCallError) {
                try socket.send(datagram, to: peer.address.bits, port: port)
            } catch {
                failures.append(Failure(node: peer.name, reason: "\(error)"))
            }
        }
        return failures
    }

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
            guard let peer = peers.first(where: { $0.address == from }) else {
                counts.strangers += 1
                note(.stranger(from))
                continue
            }
            guard datagram.sourcePort == port else {
                counts.strangers += 1
                note(.otherPort(node: peer.name, port: datagram.sourcePort))
                continue
            }
            do throws(ReportError) {
                let hello = try PeerHello(datagram: datagram.bytes)
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
