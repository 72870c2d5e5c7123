internal import CLinux
internal import Glibc

/// A network namespace held by a descriptor (network_namespaces(7)); it lives as long as somebody holds it.
package struct NetworkNamespace: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    package init(taking descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Opens a namespace by path: `/proc/self/ns/net`, `/run/netns/NAME`.
    package static func open(_ path: String) throws(SystemCallError) -> NetworkNamespace {
        let raw = try checked("open(2)", path) { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        return NetworkNamespace(taking: OwnedDescriptor(taking: raw))
    }

    /// The calling thread's own.
    package static func current() throws(SystemCallError) -> NetworkNamespace { try open("/proc/thread-self/ns/net") }

    /// A fresh one with no name; the calling thread stays where it is.
    package static func make() throws(SystemCallError) -> NetworkNamespace {
        let home = try current()
        _ = try checked("unshare(2) CLONE_NEWNET") { wan_unshare(Int32(WAN_CLONE_NEWNET)) }
        let made = Glibc.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let openError = Glibc.errno
        _ = try checked("setns(2)") { wan_setns(home.descriptor.raw, Int32(WAN_CLONE_NEWNET)) }
        guard made >= 0 else {
            throw SystemCallError(call: "open(2)", errno: openError, subject: "/proc/thread-self/ns/net")
        }
        return NetworkNamespace(taking: OwnedDescriptor(taking: made))
    }

    /// The calling thread goes into a fresh one for good: by its rights, or as the root of a user namespace
    /// (user_namespaces(7)), which needs none and a process of one thread.
    package static func leaveForFresh() throws(SystemCallError) {
        if wan_unshare(Int32(WAN_CLONE_NEWNET)) == 0 { return }
        _ = try checked("unshare(2) CLONE_NEWUSER") { wan_unshare(Int32(WAN_CLONE_NEWUSER) | Int32(WAN_CLONE_NEWNET)) }
    }

    /// Whether an interface of that name is in the calling thread's.
    package static func hasInterface(_ name: String) -> Bool { if_nametoindex(name) != 0 }

    /// Runs `body` with the calling thread inside; sockets and tun devices it opens belong to this namespace for good.
    ///
    /// The body must not suspend. Where the way home fails the process ends: going on in the wrong namespace would be worse.
    package borrowing func inside<Answer: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Answer
    ) throws -> Answer {
        let home = try NetworkNamespace.current()
        _ = try checked("setns(2)") { wan_setns(descriptor.raw, Int32(WAN_CLONE_NEWNET)) }
        defer {
            if wan_setns(home.descriptor.raw, Int32(WAN_CLONE_NEWNET)) != 0 {
                fatalError("setns(2): cannot return to the namespace we came from: \(errorText(Glibc.errno))")
            }
        }
        return try body()
    }
}
