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

    package func setNonBlocking() throws(SystemCallError) {
        let flags = try checked("fcntl(2) F_GETFL") { fcntl(raw, F_GETFL) }
        _ = try checked("fcntl(2) F_SETFL") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }
}
