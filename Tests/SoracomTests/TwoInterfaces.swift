import Glibc
import LinuxIO
import TestSupport

/// A router with two ways to the same far hosts, in network namespaces of their own (network_namespaces(7), veth(4)).
///
///     router  main  10.1.0.2 ─── 10.1.0.1  far  100.127.100.127
///             sim   10.2.0.2 ─── 10.2.0.1       203.0.113.1
///     default via 10.1.0.1
struct TwoInterfaces: ~Copyable {
    let router: NetworkNamespace
    let far: NetworkNamespace

    init() throws {
        let router = try NetworkNamespace.make()
        let far = try NetworkNamespace.make()
        for (name, network) in [("main", 1), ("sim", 2)] {
            let there = "/proc/\(getpid())/fd/\(far.descriptor.raw)"
            try Self.ip(router, "link", "add", name, "type", "veth", "peer", "name", name, "netns", there)
            try Self.ip(router, "address", "add", "10.\(network).0.2/24", "dev", name)
            try Self.ip(far, "address", "add", "10.\(network).0.1/24", "dev", name)
            try Self.ip(router, "link", "set", name, "up")
            try Self.ip(far, "link", "set", name, "up")
        }
        try Self.ip(far, "link", "set", "lo", "up")
        try Self.ip(far, "address", "add", "100.127.100.127/32", "dev", "lo")
        try Self.ip(far, "address", "add", "203.0.113.1/32", "dev", "lo")
        try Self.ip(router, "route", "add", "default", "via", "10.1.0.1")
        self.router = router
        self.far = far
    }

    private static func ip(_ namespace: borrowing NetworkNamespace, _ arguments: String...) throws {
        try namespace.inside { try Programs.run("ip", arguments) }
    }
}
