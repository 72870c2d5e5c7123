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

    /// Takes all rings so far.
    package func answer() {
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, 8)
    }
}
