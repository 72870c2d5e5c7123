internal import CLinux
internal import Glibc

/// A file descriptor with one owner; it is closed when the owner goes.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let raw: Int32

    /// Takes over a descriptor nobody else will close.
    package init(taking raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Gives the descriptor away; the caller closes it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    package func duplicate() throws(SystemCallError) -> OwnedDescriptor {
        OwnedDescriptor(taking: try checked("fcntl(2) F_DUPFD_CLOEXEC") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }

    /// The same open file under a chosen number, whatever had that number before (dup2(2)); close-on-exec.
    package consuming func moved(to number: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let old = raw
        if old == number { return OwnedDescriptor(taking: release()) }
        _ = try checked("dup2(2)") { dup2(old, number) }
        let moved = OwnedDescriptor(taking: number)
        _ = try checked("fcntl(2) F_SETFD") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        return moved
    }

    package func setNonBlocking() throws(SystemCallError) {
        let flags = try checked("fcntl(2) F_GETFL") { fcntl(raw, F_GETFL) }
        _ = try checked("fcntl(2) F_SETFL") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }
}
