internal import Glibc
package import LinuxIO

/// Two connected ends of a stream (socketpair(2), AF_UNIX, SOCK_STREAM), one to keep and one to give to a child.
package struct SocketPair: ~Copyable {
    package var ours: OwnedDescriptor
    package var theirs: OwnedDescriptor

    package init() throws(SystemCallError) {
        var ends: [Int32] = [-1, -1]
        _ = try checked("socketpair(2)") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        ours = OwnedDescriptor(taking: ends[0])
        theirs = OwnedDescriptor(taking: ends[1])
    }

    /// Closes the end that was given away and hands out the other.
    package consuming func keepOurs() -> OwnedDescriptor { ours }
}
