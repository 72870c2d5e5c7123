internal import Glibc

extension ProbeSendFailure {
    /// By errno(3), as sendmsg(2), ip(7) and raw(7) give it.
    init(errno: Int32) {
        switch errno {
        case ENODEV, ENXIO: self = .interfaceGone
        case ENETDOWN: self = .interfaceDown
        case EADDRNOTAVAIL: self = .noAddress
        case ENETUNREACH, EHOSTUNREACH: self = .noRoute
        case ENOBUFS, EAGAIN, ENOMEM: self = .queueFull
        case EPERM, EACCES: self = .forbidden
        default: self = .other(errno)
        }
    }
}
