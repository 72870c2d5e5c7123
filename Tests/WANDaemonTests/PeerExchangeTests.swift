import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANModel
import WANPolicy

/// Two boxes on one wire, each in a namespace of its own: `main` 192.168.0.1 and `sub` 192.168.0.2 on `eth0`.
private struct TwoBoxes {
    static let main = Node(name: "main", address: .v4(IPv4Address(192, 168, 0, 1)))
    static let sub = Node(name: "sub", address: .v4(IPv4Address(192, 168, 0, 2)))
    let main: TestNamespace
    let sub: TestNamespace

    init() throws {
        main = try TestNamespace.make()
        sub = try TestNamespace.make()
        try join()
    }

    /// (Re)makes the wire, with what the boxes have on it.
    func join() throws {
        let there = "/proc/\(getpid())/fd/\(sub.namespace.descriptor.raw)"
        // A veth with its peer's number gets its carrier a second later (linkwatch_urgent_event): number this end apart.
        try main.run(
            lines: """
                ip link add eth0 index 77 type veth peer name eth0 netns \(there)
                ip address add 192.168.0.1/24 dev eth0
                ip link set eth0 up
                """)
        try sub.run(lines: "ip address add 192.168.0.2/24 dev eth0\nip link set eth0 up")
    }

    func exchange(
        of node: Node, key: SiteKey? = nil, port: UInt16 = PeerExchange.standardPort
    ) throws -> PeerExchange {
        let isMain = node == Self.main
        let deadline = Clock.boottime() + 2_000_000_000
        while true {
            do {
                return try (isMain ? main : sub).inside {
                    try PeerExchange(
                        node: node, peers: [isMain ? Self.sub : Self.main], site: "home", key: key, interface: "eth0",
                        port: port)
                }
            } catch let error as PeerExchangeError where error.problem == .portTaken && Clock.boottime() < deadline {
                // A program that another test starts in this moment has our descriptors until it is executed.
                usleep(1000)
            }
        }
    }
}

/// Reads until so many datagrams have been counted, for at most five seconds.
private func read(_ exchange: inout PeerExchange, until isEnough: (PeerExchange.Counts) -> Bool) throws
    -> [PeerExchange.Heard]
{
    let deadline = Clock.boottime() + 5_000_000_000
    var heard = try exchange.read()
    while !isEnough(exchange.counts), Clock.boottime() < deadline {
        var waiting = pollfd(fd: exchange.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, 100)
        heard += try exchange.read()
    }
    return heard
}

@Suite("hellos between boxes", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct PeerExchangeTests {
    private func hello(_ node: String) -> PeerHello {
        PeerHello(
            node: node, site: "home", version: "0.1.0", role: .backup, health: 2, selected: ["soracom"],
            uplinks: [.init(name: "soracom", state: .up)])
    }

    @Test("two boxes hear each other, in order, and only what no router may pass on")
    func bothWays() throws {
        let boxes = try TwoBoxes()
        // Whatever has another TTL than 1 never arrives.
        try boxes.main.run(
            "nft", "-f", "-",
            input: "table ip t { chain c { type filter hook input priority 0; udp dport 8787 ip ttl != 1 drop; }; }\n")
        var main = try boxes.exchange(of: TwoBoxes.main)
        var sub = try boxes.exchange(of: TwoBoxes.sub)
        let early = try main.read()
        let failures = sub.send(hello("sub")) + sub.send(hello("sub"))
        #expect(early == [] && failures == [])
        let heard = try read(&main) { $0.taken == 2 }
        #expect(heard.map(\.node) == ["sub", "sub"] && heard.allSatisfy { $0.from == IPv4Address(192, 168, 0, 2) })
        let words = try heard.map { try $0.hello.get() }
        #expect(words.map(\.sequence) == [1, 2] && words[0].run == words[1].run && words[0].run > 0)
        #expect(words[0].selected == ["soracom"] && words[0].role == .backup)
        _ = main.send(hello("main"))
        let answer = try read(&sub) { $0.taken == 1 }
        #expect(try answer.first?.hello.get().node == "main")

        // A sender that starts anew is told from its former run.
        var book = PeerBook(peers: [TwoBoxes.sub])
        for hello in words { book.hear(hello, at: .zero) }
        _ = consume sub
        sub = try boxes.exchange(of: TwoBoxes.sub)
        _ = sub.send(hello("sub"))
        let later = try read(&main) { $0.taken == 3 }
        let again = try #require(later.first).hello.get()
        let isNews = book.hear(again, at: .zero)
        #expect(again.sequence == 1 && again.run != words[0].run && isNews)
    }

    @Test("the kernel lets peers in alone; their other ports and names are counted and dropped, their damage is told")
    func strangers() throws {
        let boxes = try TwoBoxes()
        try boxes.sub.run("ip", "address", "add", "192.168.0.3/24", "dev", "eth0")
        var main = try boxes.exchange(of: TwoBoxes.main)
        let target = IPv4Address(192, 168, 0, 1).bits
        func socket(_ last: UInt8, _ port: UInt16) throws -> UDPSocket {
            try boxes.sub.inside {
                try UDPSocket(address: IPv4Address(192, 168, 0, last).bits, port: port, timeToLive: 64)
            }
        }
        let good = hello("sub").datagram
        let stranger = try socket(3, 8787)
        let otherPort = try socket(2, 8788)
        let peer = try socket(2, 8787)
        // Before the peer's in the order of the wire, and never in the socket.
        for _ in 0..<100 { try stranger.send(good, to: target, port: 8787) }
        try otherPort.send(good, to: target, port: 8787)
        try peer.send(hello("main").datagram, to: target, port: 8787)
        var foreign = hello("sub")
        foreign.site = "office"
        try peer.send(foreign.datagram, to: target, port: 8787)
        try peer.send([], to: target, port: 8787)
        try peer.send(good + [UInt8](repeating: 0x20, count: 1201 - good.count), to: target, port: 8787)
        try peer.send([UInt8](repeating: 0x20, count: 1400), to: target, port: 8787)
        try peer.send(good, to: target, port: 8787)
        let heard = try read(&main) { $0.taken == 1 }
        var wanted = PeerExchange.Counts()
        wanted.strangers = 1
        wanted.misnamed = 2
        wanted.unreadable = 3
        wanted.taken = 1
        let counts = main.counts
        #expect(counts == wanted)
        // Of a flood no more is kept than one reading takes.
        for _ in 0..<100 { try otherPort.send(good, to: target, port: 8787) }
        _ = try read(&main) { $0.strangers == 101 }
        let oddities = main.takeOddities()
        #expect(oddities.count == 16 && oddities.last == .otherPort(node: "sub", port: 8788))
        let reasons = heard.dropLast().map { heard in #expect(throws: ReportError.self) { try heard.hello.get() } }
        #expect(reasons.map { $0?.problem.hasPrefix("is longer than 1200") } == [false, true, true])
        #expect(try heard.last?.hello.get().node == "sub")

        // It is the kernel that keeps them out: nothing of theirs is in a socket.
        let choosy = try boxes.main.inside {
            try UDPSocket(
                address: target, port: 8789, timeToLive: 1,
                from: [IPv4Address(192, 168, 0, 7), IPv4Address(192, 168, 0, 2)].map(\.bits))
        }
        for (sender, word) in [(3, 1), (2, 2)] as [(UInt8, UInt8)] {
            let source = try socket(sender, 8790)
            try source.send([word], to: target, port: 8789)
        }
        var waiting = pollfd(fd: choosy.descriptor.raw, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 5000) == 1)
        let first = try choosy.receive(atMost: 10)
        #expect(first?.bytes == [2])
    }

    @Test("whoever is not taken is told by name: another site, another name, another port, damage; no site is any site")
    func odd() throws {
        let boxes = try TwoBoxes()
        var main = try boxes.exchange(of: TwoBoxes.main)
        let target = IPv4Address(192, 168, 0, 1).bits
        func socket(_ port: UInt16) throws -> UDPSocket {
            try boxes.sub.inside {
                try UDPSocket(address: IPv4Address(192, 168, 0, 2).bits, port: port, timeToLive: 1)
            }
        }
        let peer = try socket(8787)
        let otherPort = try socket(8788)
        var words = [hello("sub"), hello("third"), hello("sub")]
        words[0].site = "office"
        words[2].site = nil
        for hello in words { try peer.send(hello.datagram, to: target, port: 8787) }
        try peer.send(Array("{}".utf8), to: target, port: 8787)
        try otherPort.send(hello("sub").datagram, to: target, port: 8787)
        let heard = try read(&main) { $0.strangers == 1 }
        #expect(heard.count == 2 && heard.first.flatMap { try? $0.hello.get().site } == nil)
        let oddities = main.takeOddities()
        #expect(
            oddities == [
                .otherSite(node: "sub", site: "office", own: "home"), .misnamed(node: "sub", name: "third"),
                .unreadable(node: "sub", problem: "hello.node is missing"), .otherPort(node: "sub", port: 8788),
            ])
        let rest = main.takeOddities()
        #expect(rest == [])
    }

    private func key() throws -> SiteKey { try SiteKey(parsing: Array("first-secret-of-thirty-two-letters".utf8)) }

    /// Lets both read until it is so, for at most five seconds; what they heard.
    private func exchange(
        _ main: inout PeerExchange, _ sub: inout PeerExchange,
        until isEnough: (PeerExchange.Counts, PeerExchange.Counts) -> Bool
    ) throws -> (main: [PeerExchange.Heard], sub: [PeerExchange.Heard]) {
        let deadline = Clock.boottime() + 5_000_000_000
        var heard: (main: [PeerExchange.Heard], sub: [PeerExchange.Heard]) = ([], [])
        repeat {
            var waiting = [main.descriptor, sub.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&waiting, 2, 100)
            heard.main += try main.read()
            heard.sub += try sub.read()
        } while !isEnough(main.counts, sub.counts) && Clock.boottime() < deadline
        return heard
    }

    @Test(
        "with a key, boxes that start hear each other by one hello; what a host of the LAN forges or sends again is not taken"
    )
    func signed() throws {
        let boxes = try TwoBoxes()
        let key = try key()
        var main = try boxes.exchange(of: TwoBoxes.main, key: key)
        var sub = try boxes.exchange(of: TwoBoxes.sub, key: key)
        let wire = try boxes.sub.inside { try Eavesdropper() }
        _ = main.send(hello("main"))
        _ = sub.send(hello("sub"))
        let heard = try exchange(&main, &sub) { $0.taken > 1 && $1.taken > 1 }
        #expect(Set(heard.main.map(\.node)) == ["sub"] && Set(heard.sub.map(\.node)) == ["main"])
        for second in 2...3 {
            _ = main.send(hello("main"))
            _ = sub.send(hello("sub"))
            _ = try exchange(&main, &sub) { $0.taken > second && $1.taken > second }
        }
        let before = main.counts

        let (mine, its) = (IPv4Address(192, 168, 0, 1), IPv4Address(192, 168, 0, 2))
        let recorded = try wire.datagrams(to: 8787).filter { $0.destination == mine }.map(\.bytes)
        #expect(recorded.count >= 5 && recorded.allSatisfy { $0.count <= PeerHello.longestDatagram })
        let forger = try boxes.sub.inside { try Forger() }
        func forge(_ bytes: [UInt8]) throws { try forger.send(bytes, from: (its, 8787), to: (mine, 8787)) }
        for word in recorded + recorded.reversed() { try forge(word) }
        let unsigned = hello("sub").datagram
        let other = SignedWord(run: 1, sequence: 1, challenge: 1, echo: 0, text: unsigned)
            .datagram(from: its, to: mine, secret: [UInt8](repeating: 1, count: 32))
        try forge(unsigned)
        try forge(other)
        try forge(Array(try #require(recorded.last).dropLast()))
        _ = sub.send(hello("sub"))
        let later = try read(&main) { $0.taken == before.taken + 1 }
        #expect(later.count == 1, "of all that came, the one that is the peer's")
        let counts = main.counts
        #expect(counts.old == before.old + 2 * recorded.count && counts.unproven == 3)
        let oddities = main.takeOddities()
        #expect(oddities == [.unsigned(node: "sub"), .forged(node: "sub"), .forged(node: "sub")])

        // One that starts anew is heard by one hello as well.
        _ = consume sub
        sub = try boxes.exchange(of: TwoBoxes.sub, key: key)
        _ = sub.send(hello("sub"))
        let taken = main.counts.taken
        let again = try exchange(&main, &sub) { $0.taken > taken && $1.taken > 0 }
        #expect(!again.main.isEmpty && !again.sub.isEmpty)
    }

    @Test("a box without a key takes no signed word, as one with a key takes none that is not: told by name")
    func onlyOneHasTheKey() throws {
        let boxes = try TwoBoxes()
        var main = try boxes.exchange(of: TwoBoxes.main, key: try key())
        var sub = try boxes.exchange(of: TwoBoxes.sub)
        _ = main.send(hello("main"))
        _ = sub.send(hello("sub"))
        let heard = try exchange(&main, &sub) { $0.unproven > 0 && $1.unproven > 0 }
        #expect(heard.main.isEmpty && heard.sub.isEmpty)
        let oddities = (main.takeOddities(), sub.takeOddities())
        #expect(oddities == ([.unsigned(node: "sub")], [.signed(node: "main")]))
    }

    @Test("an address or an interface that is not there yet is said, and tried again with success")
    func notYet() throws {
        let boxes = try TwoBoxes()
        try boxes.sub.run("ip", "address", "del", "192.168.0.2/24", "dev", "eth0")
        let missing = #expect(throws: PeerExchangeError.self) { _ = try boxes.exchange(of: TwoBoxes.sub) }
        #expect(missing?.problem == .addressMissing && missing?.isForNow == true)
        #expect(
            missing?.description
                == "the other boxes of the site are not heard: address 192.168.0.2 of node sub is not on this box; put it there, or say with --node which box this is"
        )
        try boxes.sub.run("ip", "address", "add", "192.168.0.2/24", "dev", "eth0")
        let first = try boxes.exchange(of: TwoBoxes.sub)

        let taken = #expect(throws: PeerExchangeError.self) { _ = try boxes.exchange(of: TwoBoxes.sub) }
        #expect(taken?.problem == .portTaken && taken?.isForNow == false)
        #expect(taken?.description.hasSuffix("port 8787 of 192.168.0.2 is another program's; stop that one") == true)
        _ = consume first

        try boxes.main.run("ip", "link", "delete", "eth0")
        let gone = #expect(throws: PeerExchangeError.self) { _ = try boxes.exchange(of: TwoBoxes.sub) }
        #expect(gone?.problem == .interfaceMissing("eth0") && gone?.isForNow == true)
        try boxes.join()
        _ = try boxes.exchange(of: TwoBoxes.sub)

        let six = Node(name: "six", address: .v6(IPv6Address(high: 1, low: 1)))
        let notIPv4 = #expect(throws: PeerExchangeError.self) {
            _ = try PeerExchange(node: TwoBoxes.main, peers: [six], interface: nil)
        }
        #expect(notIPv4?.problem == .notIPv4)
    }

    @Test("a wire that was made anew takes a new exchange, and the old one says that nobody can be reached")
    func newWire() throws {
        let boxes = try TwoBoxes()
        var main = try boxes.exchange(of: TwoBoxes.main)
        var old = try boxes.exchange(of: TwoBoxes.sub)
        try boxes.main.run("ip", "link", "delete", "eth0")
        let failures = old.send(hello("sub"))
        #expect(failures.map(\.node) == ["main"] && failures.first?.reason.contains("192.168.0.1 port 8787") == true)
        _ = consume old
        try boxes.join()
        _ = consume main
        main = try boxes.exchange(of: TwoBoxes.main)
        var new = try boxes.exchange(of: TwoBoxes.sub)
        let none = new.send(hello("sub"))
        let heard = try read(&main) { $0.taken == 1 }
        #expect(none == [] && heard.first?.node == "sub")
    }

    @Test("a hello never takes the default route in place of the LAN")
    func onlyThroughTheLAN() throws {
        let boxes = try TwoBoxes()
        var sub = try boxes.exchange(of: TwoBoxes.sub)
        try boxes.sub.run(
            lines: """
                ip link add up0 type veth peer name up1
                ip address add 198.51.100.1/24 dev up0
                ip link set up0 up
                ip link set up1 up
                ip route add default dev up0
                ip link set eth0 down
                """)
        let failures = sub.send(hello("sub"))
        #expect(failures.map(\.node) == ["main"])
        // A socket that is bound to no interface would.
        let unbound = try boxes.sub.inside {
            try UDPSocket(address: IPv4Address(192, 168, 0, 2).bits, port: 8788, timeToLive: 1)
        }
        try unbound.send(hello("sub").datagram, to: IPv4Address(192, 168, 0, 1).bits, port: 8787)
    }
}
