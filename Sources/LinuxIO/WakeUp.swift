internal import CLinux
internal import Glibc

/// Something one thread can do to make another's `EventLoop` turn (eventfd(2)).
package struct WakeUp: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    package init() throws(SystemCallError) {
        descriptor = OwnedDescriptor(
            taking: try checked("eventfd(2)") { eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) })
    }

    /// From any thread, any number of times.
    package func ring() {
        var one: UInt64 = 1
        _ = write(descriptor.raw, &one, 8)
    }

    /// Waits for a ring, for a thread without a loop; false when `Clock.boottime` reached the deadline first.
    package func wait(until deadline: Int64) -> Bool {
        while true {
            let left = deadline - Clock.boottime()
            var ready = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(max(0, min((left + 999_999) / 1_000_000, 1_000_000)))
            if poll(&ready, 1, milliseconds) > 0 { return true }
            if left <= 0 { return false }
        }
    }

    /// Takes all rings so far.
    package func answer() {
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, 8)
    }
}
