internal import Glibc

/// What a refused connect(2), open(2) or bind(2) means for the caller, where several errno values mean the same.
extension SystemCallError {
    /// Nothing is at the path, or nobody listens there any more.
    package var isNobodyThere: Bool { errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR }
    /// The kernel's permission check said no.
    package var isNotPermitted: Bool { errno == EACCES || errno == EPERM }
    /// The same call may work later.
    package var isTryAgain: Bool { errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS }
    /// The other end has hung up.
    package var isClosedByPeer: Bool { errno == EPIPE || errno == ECONNRESET }
}
