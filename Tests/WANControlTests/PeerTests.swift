import Testing
import WANControl

@Suite("who may do what")
struct PeerTests {
    let access = ControlAccess(daemonUser: 990, group: 991)

    static let acting: [ControlRequest] = [
        .failover(uplink: "jcom"), .auto, .drain(uplink: "jcom"), .enable(uplink: "jcom"), .disable(uplink: "jcom"),
        .reload, .probe(uplink: nil), .speed(uplink: "soracom", speedClass: nil),
    ]
    static let reading: [ControlRequest] = [.status(), .status(watch: true), .watch, .why, .history(count: nil)]

    @Test(
        "root, the daemon's user and members of the group may act",
        arguments: [
            Peer(pid: 1, uid: 0, groups: []), Peer(pid: 2, uid: 990, groups: [100]),
            Peer(pid: 3, uid: 1000, groups: [991]),
            Peer(pid: 4, uid: 1000, groups: [100, 27, 991]),
        ])
    func may(peer: Peer) {
        for request in Self.acting + Self.reading { #expect(access.refusal(of: request, by: peer) == nil) }
    }

    @Test("anybody else may look and nothing more")
    func mayNot() {
        let stranger = Peer(pid: 5, uid: 1000, groups: [100, 990])
        for request in Self.reading { #expect(access.refusal(of: request, by: stranger) == nil) }
        for request in Self.acting {
            #expect(access.refusal(of: request, by: stranger)?.code == .notPermitted)
        }
    }

    @Test("without the group on this machine nobody is a member of it")
    func noGroup() {
        let access = ControlAccess(daemonUser: 0, group: nil)
        #expect(!access.mayAct(Peer(pid: 1, uid: 1000, groups: [991])))
        #expect(access.mayAct(Peer(pid: 1, uid: 0, groups: [])))
    }

    @Test("the kernel says who the peer is")
    func kernel() throws {
        let world = try ControlWorld()
        try world.serve()
        var seen: Peer?
        world.handler = { _, peer, reply in
            seen = peer
            reply.finish()
        }
        let client = try world.client()
        try client.send(#"{"verb":"why"}"# + "\n")
        try world.wait("answer") {
            try client.read(); return client.lines.count == 1
        }
        let status = try ProcessStatus.ofThisProcess()
        #expect(seen?.pid == status.pid)
        #expect(seen?.uid == status.uid)
        #expect(seen?.groups == status.groups)
    }
}
