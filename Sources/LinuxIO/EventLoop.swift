internal import CLinux
internal import Glibc

/// One thread's wait for descriptors and deadlines: epoll(7) and one timerfd.
///
/// Handlers run one at a time on the thread that called `run()`; a handler may add and remove watches and timers, its own
/// included. The loop owns none of the descriptors it watches: remove the watch before closing one.
package final class EventLoop {
    package struct Watch: Hashable { fileprivate var id: UInt64 }
    package struct Timer: Hashable { fileprivate var id: UInt64 }

    /// What a descriptor is ready for (EPOLLIN, EPOLLOUT; errors and hang-ups wake the reader too).
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Readiness(rawValue: UInt32(EPOLLIN.rawValue))
        package static let write = Readiness(rawValue: UInt32(EPOLLOUT.rawValue))
        package static let hangUp = Readiness(rawValue: UInt32(EPOLLHUP.rawValue))
        package static let error = Readiness(rawValue: UInt32(EPOLLERR.rawValue))
        /// To be asked for with the others: told once when it comes, and not as long as it is so (EPOLLET).
        package static let edge = Readiness(rawValue: 1 << 31)
    }

    private struct Entry {
        var descriptor: Int32
        var handler: (Readiness) -> Void
    }

    private let epoll: OwnedDescriptor
    private let timer: OwnedDescriptor
    private var watches: [UInt64: Entry] = [:]
    private var timers: [(deadline: Int64, id: UInt64, handler: () -> Void)] = []
    private var lastID: UInt64 = 0
    private var armed: Int64 = .max
    private var isStopping = false

    package init() throws(SystemCallError) {
        epoll = OwnedDescriptor(taking: try checked("epoll_create1(2)") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        timer = OwnedDescriptor(
            taking: try checked("timerfd_create(2)") {
                timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
            })
        try add(timer.raw, id: 0, events: .read)
    }

    private func add(_ descriptor: Int32, id: UInt64, events: Readiness) throws(SystemCallError) {
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = id
        _ = try checked("epoll_ctl(2)") { epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor, &event) }
    }

    /// Calls `handler` whenever the descriptor is ready (level-triggered, without `.edge`).
    package func watch(
        _ descriptor: Int32, for events: Readiness = .read, handler: @escaping (Readiness) -> Void
    ) throws(SystemCallError) -> Watch {
        lastID += 1
        try add(descriptor, id: lastID, events: events)
        watches[lastID] = Entry(descriptor: descriptor, handler: handler)
        return Watch(id: lastID)
    }

    package func change(_ watch: Watch, to events: Readiness) throws(SystemCallError) {
        guard let entry = watches[watch.id] else { return }
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = watch.id
        _ = try checked("epoll_ctl(2)") { epoll_ctl(epoll.raw, EPOLL_CTL_MOD, entry.descriptor, &event) }
    }

    package func remove(_ watch: Watch) {
        guard let entry = watches.removeValue(forKey: watch.id) else { return }
        _ = epoll_ctl(epoll.raw, EPOLL_CTL_DEL, entry.descriptor, nil)
    }

    /// Calls `handler` once, at or soon after the moment (nanoseconds of `Clock.boottime`).
    @discardableResult
    package func schedule(at deadline: Int64, handler: @escaping () -> Void) -> Timer {
        lastID += 1
        let index = timers.firstIndex { $0.deadline > deadline } ?? timers.endIndex
        timers.insert((deadline, lastID, handler), at: index)
        return Timer(id: lastID)
    }

    package func cancel(_ timer: Timer) {
        timers.removeAll { $0.id == timer.id }
    }

    package func run() throws(SystemCallError) {
        while !isStopping { try turn() }
        isStopping = false
    }

    /// Ends `run()` after the handler that is running, or before it begins.
    package func stop() { isStopping = true }

    /// Waits for what comes next and handles it; `timeout` in milliseconds, −1 for ever.
    package func turn(timeout: Int32 = -1) throws(SystemCallError) {
        arm()
        // The closure may not throw: before Swift 6.3 what it throws has lost its type outside.
        let failure = withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events -> SystemCallError? in
            guard let room = events.baseAddress else { return nil }
            let count = epoll_wait(epoll.raw, room, 64, timeout)
            if count < 0 {
                return Glibc.errno == EINTR ? nil : SystemCallError(call: "epoll_wait(2)", errno: Glibc.errno)
            }
            // A handler may remove a watch that is later in this batch: look each one up when its turn comes.
            for event in events[..<Int(count)] {
                if event.data.u64 == 0 {
                    var expirations: UInt64 = 0
                    read(timer.raw, &expirations, 8)
                    armed = .max
                } else if let entry = watches[event.data.u64] {
                    entry.handler(Readiness(rawValue: event.events))
                }
            }
            return nil
        }
        if let failure { throw failure }
        fire()
    }

    private func fire() {
        let now = Clock.boottime()
        // Only what was due when we looked: a handler that schedules for "now" waits for the next turn.
        let due = timers.prefix { $0.deadline <= now }.count
        guard due > 0 else { return }
        let batch = timers[..<due].map(\.id)
        for id in batch {
            guard let index = timers.firstIndex(where: { $0.id == id }) else { continue }
            let handler = timers.remove(at: index).handler
            handler()
        }
    }

    private func arm() {
        let next = timers.first?.deadline ?? .max
        if next == armed { return }
        var value = itimerspec()
        if next != .max {
            let positive = max(next, 1)
            value.it_value.tv_sec = time_t(positive / 1_000_000_000)
            value.it_value.tv_nsec = Int(positive % 1_000_000_000)
        }
        timerfd_settime(timer.raw, Int32(TFD_TIMER_ABSTIME), &value, nil)
        armed = next
    }
}
