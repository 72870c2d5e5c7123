import LinuxIO
import NetworkTypes
import PacketWire
import Testing
import WANControl
import WANDaemon
import WANModel

@Suite("who follows a drain")
struct DrainWatchTests {
    private let loop: EventLoop
    private let watch: DrainWatch
    private let world = World()
    private let uplink = UplinkNumber(rawValue: 1)
    private static let pace: Int64 = 5_000_000

    /// What the watch sees; a class, since its closures change it.
    private final class World {
        var flows = 2
        var counts = 0
        var until: Moment? = .init(nanoseconds: .max)
        var isThere = true
        var problem: SystemCallError?
        var settled: [String] = []
    }

    init() throws {
        loop = try EventLoop()
        watch = DrainWatch(loop: loop, pace: Self.pace)
        watch.line = { [world] _ in
            world.isThere ? .init(name: "ftth", drainsUntil: world.until) { _ in true } : nil
        }
        watch.entries = { [world] _ in
            world.counts += 1
            if let problem = world.problem { throw problem }
            return (0..<world.flows).map { Self.flow(UInt16($0)) }
        }
        watch.onSettled = { [world] _, reason in
            world.settled.append(reason)
            world.until = nil
        }
    }

    private static func flow(_ port: UInt16) -> ConntrackEntry {
        let (host, server) = (IPAddress.v4(IPv4Address(192, 168, 0, 9)), IPAddress.v4(IPv4Address(9, 9, 9, 9)))
        var entry = ConntrackEntry(
            original: .init(source: host, destination: server, transport: 17, sourcePort: port, destinationPort: 7),
            reply: .init(source: server, destination: host, transport: 17, sourcePort: 7, destinationPort: port))
        entry.timeout = 100
        entry.status = [.seenReply]
        return entry
    }

    private func drain() {
        var limits = Failover.Drain()
        limits.idle = .zero
        watch.follow([uplink: .init(classes: [0], isMetered: false)], limits: limits)
    }

    /// Runs the loop for so many paces of the watch.
    private func run(_ paces: Int64) throws {
        loop.schedule(at: Clock.boottime() + paces * Self.pace + Self.pace / 2) { [loop] in loop.stop() }
        try loop.run()
    }

    @Test("two who follow and a drain share one count a pace, however often the drain is said to have ended")
    func oneCount() throws {
        drain()
        var told = [0, 0]
        let (one, two) = (World(), World())
        watch.follow(uplink, as: ObjectIdentifier(one)) { _ in told[0] += 1 }
        watch.follow(uplink, as: ObjectIdentifier(two)) { _ in told[1] += 1 }
        for _ in 0..<5 { watch.ended(uplink) }
        let before = world.counts
        #expect(before == 7, "each of these is answered at once")
        try run(10)
        // A loop that is late looks less often, never more.
        #expect((1...10).contains(world.counts - before), "\(world.counts - before)")
        #expect(told[0] == told[1] + 1 && told[0] == world.counts)
        watch.leave(ObjectIdentifier(one))
        watch.leave(ObjectIdentifier(two))
    }

    @Test("it is over when no flow is left: for the engine, and for who follows")
    func empty() throws {
        drain()
        var news: [DrainReport] = []
        watch.follow(uplink, as: ObjectIdentifier(world)) { if case .success(let report) = $0 { news.append(report) } }
        #expect(news.map(\.flows) == [2] && news[0].isDone == false && news[0].bytes == 0)
        world.flows = 0
        watch.ended(uplink)
        #expect(news.last?.isDone == true && world.settled == ["no old flow is left"])
        let counts = world.counts
        drain()
        watch.follow([:], limits: Failover.Drain())
        try run(3)
        #expect(world.counts == counts, "nothing is watched any more")
    }

    @Test("what cannot be counted is not called empty, and an uplink that a reload took away ends it")
    func refusals() {
        var refusals: [ControlRefusal.Code] = []
        func follow() {
            watch.follow(uplink, as: ObjectIdentifier(world)) {
                if case .failure(let refusal) = $0 { refusals.append(refusal.code) }
            }
        }
        world.problem = SystemCallError(call: "recvmsg(2)", errno: 105, subject: "")
        follow()
        world.problem = nil
        world.isThere = false
        follow()
        #expect(refusals == [.tryAgain, .refused])
    }
}
