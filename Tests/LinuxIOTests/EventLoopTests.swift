import LinuxIO
import TestSupport
import Testing

@Suite("EventLoop: descriptors")
struct EventLoopDescriptorTests {
    @Test("a handler is called for as long as its descriptor is ready, and no longer")
    func levelTriggered() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let raw = pipe.reading.raw
        var calls = 0
        _ = try loop.watch(raw) { readiness in
            #expect(readiness == .read)
            calls += 1
            if calls == 2 { _ = try? take(raw) }
        }
        try loop.turn(timeout: 0)
        #expect(calls == 0)
        try pipe.put()
        try loop.turn(timeout: 0)
        try loop.turn(timeout: 0)
        try loop.turn(timeout: 0)
        #expect(calls == 2)
    }

    @Test("of two that are ready at once, one handler may take the other's watch away")
    func removalDuringHandling() throws {
        let loop = try EventLoop()
        let one = try Pipe()
        let other = try Pipe()
        var watches: [EventLoop.Watch] = []
        var calls = 0
        for raw in [one.reading.raw, other.reading.raw] {
            watches.append(
                try loop.watch(raw) { _ in
                    calls += 1
                    for watch in watches { loop.remove(watch) }
                })
        }
        try one.put()
        try other.put()
        try loop.turn(timeout: 0)
        try loop.turn(timeout: 0)
        #expect(calls == 1)
    }

    @Test("a handler may put another in its own place, under the same descriptor number")
    func replacement() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let raw = pipe.reading.raw
        var told: [String] = []
        var first: EventLoop.Watch?
        first = try loop.watch(raw) { _ in
            told.append("first")
            if let first { loop.remove(first) }
            do {
                _ = try loop.watch(raw) { _ in
                    told.append("second")
                    _ = try? take(raw)
                }
            } catch {
                Issue.record(error)
            }
        }
        try pipe.put()
        for _ in 0..<3 { try loop.turn(timeout: 0) }
        #expect(told == ["first", "second"])
    }

    @Test("removing twice, or what is long gone, does nothing to a later watch")
    func removedTwice() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let raw = pipe.reading.raw
        let old = try loop.watch(raw) { _ in Issue.record("the old handler was called") }
        loop.remove(old)
        var calls = 0
        _ = try loop.watch(raw) { _ in calls += 1 }
        loop.remove(old)
        try loop.change(old, to: .write)
        try pipe.put()
        try loop.turn(timeout: 0)
        #expect(calls == 1)
    }

    @Test("what a watch waits for can be changed")
    func change() throws {
        let loop = try EventLoop()
        let pair = try SocketPair()
        var seen: [EventLoop.Readiness] = []
        let watch = try loop.watch(pair.ours.raw, for: .read) { seen.append($0) }
        try loop.turn(timeout: 0)
        try loop.change(watch, to: [.read, .write])
        try loop.turn(timeout: 0)
        try loop.change(watch, to: .read)
        try loop.turn(timeout: 0)
        #expect(seen == [.write])
    }

    @Test("the end of the other side is told to who only waits for something to read")
    func hangUp() throws {
        let loop = try EventLoop()
        var pipe = try Pipe()
        var seen: EventLoop.Readiness = []
        _ = try loop.watch(pipe.reading.raw) { seen = $0 }
        pipe.writing = OwnedDescriptor(taking: -1)  // closes what it was
        try loop.turn(timeout: 0)
        #expect(seen.contains(.hangUp))
    }

    @Test("a descriptor that cannot be waited for is refused with its reason")
    func refused() throws {
        let loop = try EventLoop()
        #expect(throws: SystemCallError(call: "epoll_ctl(2)", errno: 9)) { try loop.watch(-1) { _ in } }
    }

    @Test("more descriptors than fit one wait are all served")
    func many() throws {
        let loop = try EventLoop()
        var pairs: [OwnedPair] = []
        var served: Set<Int> = []
        for number in 0..<200 {
            let pair = try OwnedPair()
            _ = try loop.watch(pair.ends.reading.raw) { _ in served.insert(number) }
            try pair.ends.put()
            pairs.append(pair)
        }
        for _ in 0..<4 { try loop.turn(timeout: 0) }
        #expect(served.count == 200)
    }

    /// Arrays hold no noncopyable values.
    private final class OwnedPair {
        let ends: Pipe
        init() throws { ends = try Pipe() }
    }
}

@Suite("EventLoop: running")
struct EventLoopRunTests {
    @Test("stop before run makes it return at once, and only once")
    func stopBeforeRun() throws {
        let loop = try EventLoop()
        loop.stop()
        try loop.run()
        var fired = false
        loop.schedule(at: 0) {
            fired = true
            loop.stop()
        }
        try loop.run()
        #expect(fired)
    }

    @Test("stop in a handler ends run after that turn")
    func stopInHandler() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        var calls = 0
        _ = try loop.watch(pipe.reading.raw) { _ in
            calls += 1
            loop.stop()
        }
        try pipe.put()
        try loop.run()
        #expect(calls == 1)
    }

    @Test("another thread can make it turn")
    func wakeUp() throws {
        let loop = try EventLoop()
        let bell = Bell(try WakeUp())
        var rings = 0
        _ = try loop.watch(bell.wakeUp.descriptor.raw) { _ in
            bell.wakeUp.answer()
            rings += 1
            loop.stop()
        }
        let thread = try WorkerThread {
            bell.wakeUp.ring()
            bell.wakeUp.ring()
        }
        try loop.run()
        thread.join()
        #expect(rings == 1)
    }

    /// A closure cannot hold a noncopyable value that others use too.
    private final class Bell: Sendable {
        let wakeUp: WakeUp
        init(_ wakeUp: consuming WakeUp) { self.wakeUp = wakeUp }
    }
}
