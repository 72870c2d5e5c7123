internal import Glibc

/// What a refused connect(2), open(2) or bind(2) means for the caller, where several errno values mean the same.
extension SystemCallError {
    /// Nothing is at the path, or nobody listens there any more.
    package var isNobodyThere: Bool { errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR }
    /// The kernel's permission check said no.
    package var isNotPermitted: Bool { errno == EACCES || errno == EPERM }
    /// Something of that name is there, of another kind.
    package var isAlreadyThere: Bool { errno == EEXIST }
    /// The file system is mounted read-only, if only for this process (systemd.exec(5), ProtectSystem=).
    package var isReadOnly: Bool { errno == EROFS }
    /// The file system has no room, or the user no more of it.
    package var isFull: Bool { errno == ENOSPC || errno == EDQUOT }
    /// The same call may work later.
    package var isTryAgain: Bool { errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS }
    /// The other end has hung up.
    package var isClosedByPeer: Bool { errno == EPIPE || errno == ECONNRESET }
    /// bind(2): the address is on no interface of this machine.
    package var isAddressMissing: Bool { errno == EADDRNOTAVAIL }
    /// bind(2): the address and port are another socket's.
    package var isAddressInUse: Bool { errno == EADDRINUSE }
    /// The interface is not there, or no more.
    package var isInterfaceMissing: Bool { errno == ENODEV || errno == ENXIO }
}
