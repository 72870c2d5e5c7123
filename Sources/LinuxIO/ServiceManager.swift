internal import CLinux
internal import Glibc

/// Tells systemd how the service does (sd_notify(3)), by one datagram each; silent where nobody listens.
package struct ServiceManager {
    private let path: String?
    /// How often a sign of life is due, in nanoseconds (half of WATCHDOG_USEC, sd_watchdog_enabled(3)), at least once in half a
    /// day; `nil`: never, or it is for another process.
    package let watchdogInterval: Int64?

    package init(environment: [String: String]) {
        path = environment["NOTIFY_SOCKET"]
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        let microseconds = isForUs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0 : 0
        watchdogInterval = microseconds > 0 ? max(min(microseconds, 86_400_000_000) * 500, 10_000_000) : nil
    }

    /// `READY=1`, `STATUS=…`, `WATCHDOG=1`, … ; several lines make one message.
    package func notify(_ lines: String...) {
        guard let path, !path.isEmpty else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }  // abstract name
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { return }
        let descriptor = OwnedDescriptor(taking: raw)
        let message = Array(lines.joined(separator: "\n").utf8)
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sockaddr in
                // A service manager that does not listen is no reason to do anything differently.
                _ = sendto(descriptor.raw, message, message.count, Int32(MSG_DONTWAIT), sockaddr, length)
            }
        }
    }
}

/// The environment as a dictionary.
package func environmentVariables() -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "=") {
            result[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        next += 1
    }
    return result
}
