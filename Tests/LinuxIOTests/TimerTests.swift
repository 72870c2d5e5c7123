import LinuxIO
import Testing

@Suite("EventLoop: timers")
struct TimerTests {
    /// Turns the loop until nothing is due any more within the next moment, at most for some seconds.
    private func settle(_ loop: EventLoop, until isDone: () -> Bool) throws {
        let deadline = Clock.boottime() + 10_000_000_000
        while !isDone(), Clock.boottime() < deadline { try loop.turn(timeout: 100) }
        #expect(isDone(), "not within 10 s")
    }

    @Test("fire in the order of their moments, those of one moment in the order they were asked for")
    func order() throws {
        let loop = try EventLoop()
        let now = Clock.boottime()
        var fired: [String] = []
        for (name, delay) in [("late", 3), ("early", 1), ("middle", 2), ("middle too", 2), ("past", -5)]
            as [(String, Int64)]
        {
            loop.schedule(at: now + delay * 1_000_000) { fired.append(name) }
        }
        try settle(loop) { fired.count == 5 }
        #expect(fired == ["past", "early", "middle", "middle too", "late"])
    }

    @Test("never fire before their moment")
    func notEarly() throws {
        let loop = try EventLoop()
        let moment = Clock.boottime() + 20_000_000
        var firedAt: Int64?
        loop.schedule(at: moment) { firedAt = Clock.boottime() }
        try settle(loop) { firedAt != nil }
        #expect((firedAt ?? 0) >= moment)
    }

    @Test("one that is asked for by a handler, for now, waits for the next turn: the descriptors get theirs")
    func noStarvation() throws {
        let loop = try EventLoop()
        var fired = 0
        func again() {
            fired += 1
            loop.schedule(at: 0) { again() }
        }
        loop.schedule(at: 0) { again() }
        let pipe = try Pipe()
        var isServed = false
        _ = try loop.watch(pipe.reading.raw) { _ in isServed = true }
        try pipe.put()
        try loop.turn(timeout: 1000)
        #expect(fired == 1)
        try loop.turn(timeout: 1000)
        #expect(fired == 2)
        #expect(isServed)
    }

    @Test("one that is cancelled does not fire, even by a handler of the same moment")
    func cancel() throws {
        let loop = try EventLoop()
        var fired: [String] = []
        var victim: EventLoop.Timer?
        loop.schedule(at: 1) {
            fired.append("first")
            if let victim { loop.cancel(victim) }
        }
        victim = loop.schedule(at: 2) { fired.append("victim") }
        loop.schedule(at: 3) { fired.append("last") }
        let before = loop.schedule(at: 0) { fired.append("before") }
        loop.cancel(before)
        try settle(loop) { fired.contains("last") }
        #expect(fired == ["first", "last"])
    }

    @Test("an earlier one, asked for later, is not held up by the one that was armed")
    func rearmed() throws {
        let loop = try EventLoop()
        var fired: [String] = []
        loop.schedule(at: Clock.boottime() + 3_600_000_000_000) { fired.append("in an hour") }
        try loop.turn(timeout: 0)
        loop.schedule(at: Clock.boottime() + 1_000_000) { fired.append("soon") }
        try settle(loop) { !fired.isEmpty }
        #expect(fired == ["soon"])
    }

    @Test("a cancelled one does not wake the loop for those after it")
    func disarmed() throws {
        let loop = try EventLoop()
        let timer = loop.schedule(at: Clock.boottime() + 1_000_000) { Issue.record("fired") }
        try loop.turn(timeout: 0)
        loop.cancel(timer)
        var fired = false
        loop.schedule(at: Clock.boottime() + 30_000_000) { fired = true }
        try settle(loop) { fired }
    }

    @Test("thousands, set at random, all fire in order", arguments: [1, 87] as [UInt64])
    func many(seed: UInt64) throws {
        let loop = try EventLoop()
        let start = Clock.boottime()
        var state = seed
        var fired: [Int64] = []
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let moment = start + Int64(state >> 40) % 20_000_000
            loop.schedule(at: moment) { fired.append(moment) }
        }
        try settle(loop) { fired.count == 2000 }
        #expect(fired == fired.sorted(), "seed \(seed)")
    }
}
