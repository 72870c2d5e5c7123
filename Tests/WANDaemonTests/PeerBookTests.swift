import NetworkTypes
import Testing
import WANControl
import WANDaemon
import WANModel

@Suite("what a box remembers of the others")
struct PeerBookTests {
    private let main = Node(name: "main", address: .v4(IPv4Address(192, 168, 0, 1)))
    private let sub = Node(name: "sub", address: .v4(IPv4Address(192, 168, 0, 2)))
    private let start = Moment(nanoseconds: 5_000_000_000)

    private func hello(
        _ sequence: Int64, of node: String = "sub", run: Int64 = 1, role: BoxRole = .backup, health: Int = 2,
        state: UplinkReport.State = .up
    ) -> PeerHello {
        PeerHello(
            node: node, version: "0.1.0", run: run, sequence: sequence, role: role, health: health,
            selected: ["soracom"], uplinks: [.init(name: "soracom", state: state)])
    }

    @Test("a hello is fresh for three seconds, then it is told how old it is")
    func freshness() {
        var book = PeerBook(peers: [sub])
        #expect(book.reports(at: start) == [PeerReport(node: "sub", address: "192.168.0.2")])
        #expect(book.present("sub", at: start) == nil)
        book.hear(hello(1), at: start)
        #expect(book.present("sub", at: start + .seconds(3)) == hello(1))
        let stale = start + .seconds(3) + .nanoseconds(1)
        #expect(book.present("sub", at: stale) == nil)
        let reports = book.reports(at: start + .seconds(40))
        #expect(reports[0].heard == .seconds(40) && !reports[0].isPresent && reports[0].role == .backup)
        #expect(reports[0].uplinks == [.init(name: "soracom", state: .up)] && reports[0].health == 2)
        // A clock that a caller has read earlier makes no negative age.
        #expect(book.last(of: "sub", at: .zero)?.age == .zero)
    }

    @Test("a hello that comes late or twice is not news; a sender that started anew is, and its former run is not")
    func order() {
        var book = PeerBook(peers: [sub])
        func hear(_ hello: PeerHello, after seconds: Int64 = 0) -> Bool {
            book.hear(hello, at: start + .seconds(seconds))
        }
        #expect(hear(hello(7)))
        #expect(!hear(hello(7), after: 1))
        #expect(!hear(hello(6), after: 1))
        #expect(book.last(of: "sub", at: start + .seconds(1))?.age == .seconds(1))
        #expect(hear(hello(1, run: 2, role: .master), after: 2))
        #expect(!hear(hello(8), after: 2))
        #expect(book.present("sub", at: start + .seconds(2))?.role == .master)
        #expect(!hear(hello(1, of: "other")))
    }

    @Test("a reload keeps who is still there at the same address")
    func reload() {
        var book = PeerBook(peers: [main, sub])
        book.hear(hello(1), at: start)
        book.hear(hello(1, of: "main"), at: start)
        book.keep(peers: [sub, Node(name: "main", address: .v4(IPv4Address(192, 168, 0, 9)))])
        #expect(book.reports(at: start).map(\.node) == ["sub", "main"])
        #expect(book.present("sub", at: start) != nil && book.present("main", at: start) == nil)
    }

    @Test("the holder is the only one that says it is master, and nobody where there are two or none")
    func holder() {
        var book = PeerBook(peers: [sub])
        #expect(book.holder(own: "main", role: .master, at: start) == "main")
        #expect(book.holder(own: "main", role: .backup, at: start) == nil)
        book.hear(hello(1, role: .master), at: start)
        #expect(book.holder(own: "main", role: .backup, at: start) == "sub")
        #expect(book.holder(own: "main", role: .master, at: start) == nil)
        #expect(book.holder(own: "main", role: .backup, at: start + .seconds(4)) == nil)
    }

    @Test("moving the site to a peer's uplink is refused with the reason, as far as it is known")
    func objections() {
        func objection(_ hello: PeerHello?, to uplink: String = "soracom", after span: Duration = .zero) -> String? {
            var book = PeerBook(peers: [sub])
            if let hello { book.hear(hello, at: start) }
            return book.objection(to: uplink, on: "sub", at: start + span)
        }
        #expect(objection(hello(1)) == nil)
        #expect(objection(hello(1, state: .degraded)) == nil)
        #expect(objection(nil) == "sub, which has soracom, has not been heard since this daemon started")
        #expect(objection(hello(1), after: .seconds(40)) == "sub, which has soracom, was last heard 40s ago")
        #expect(objection(hello(1, state: .down)) == "soracom is down on sub")
        #expect(objection(hello(1), to: "lte") == "sub knows no uplink lte: its policy is another one")
        #expect(objection(hello(1, health: 0)) == "sub says that it has no usable uplink")
        #expect(objection(hello(1, health: NodeHealth.yield)) == "sub is giving the virtual address away itself")
        #expect(
            objection(hello(1, health: NodeHealth.held))
                == "sub is not fit to be master: its uplink has to hold first or works badly, or it stands aside itself"
        )
        var many = hello(1)
        many.leftOut = 3
        #expect(objection(many, to: "lte") == nil)
        #expect(
            PeerBook(peers: []).objection(to: "soracom", on: "sub", at: start) == "sub is no other node of this site")
    }
}
