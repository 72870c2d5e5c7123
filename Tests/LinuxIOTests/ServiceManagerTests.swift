import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("ServiceManager speaks sd_notify(3)")
struct ServiceManagerTests {
    /// A socket where systemd would listen.
    private struct Listener: ~Copyable {
        let socket: OwnedDescriptor

        /// `name`: a path, or one that begins with @.
        init(_ name: String) throws(SystemCallError) {
            socket = try Self.bound(to: name)
        }

        private static func bound(to name: String) throws(SystemCallError) -> OwnedDescriptor {
            let socket = OwnedDescriptor(
                taking: try checked("socket(2)") {
                    Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                })
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(name.utf8).enumerated().map { $0.offset == 0 && $0.element == 64 ? 0 : $0.element }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
            let raw = socket.raw
            _ = try checked("bind(2)", name) {
                withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(raw, $0, length) }
                }
            }
            return socket
        }

        func message() throws(SystemCallError) -> String? {
            try take(socket.raw).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test("lines of one call are one message, at a path")
    func path() throws {
        let directory = try TemporaryDirectory()
        let name = "\(directory.path)/notify"
        let listener = try Listener(name)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name])
        manager.notify("READY=1", "STATUS=all well, traffic on ftth")
        manager.notify("WATCHDOG=1")
        #expect(try listener.message() == "READY=1\nSTATUS=all well, traffic on ftth")
        #expect(try listener.message() == "WATCHDOG=1")
        #expect(try listener.message() == nil)
    }

    @Test("at an abstract name too")
    func abstract() throws {
        let name = "@wanctl-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        let listener = try Listener(name)
        ServiceManager(environment: ["NOTIFY_SOCKET": name]).notify("READY=1")
        #expect(try listener.message() == "READY=1")
    }

    @Test(
        "where nobody listens, nothing happens",
        arguments: [nil, "", "/nowhere/notify", "relative", "@", String(repeating: "x", count: 200)])
    func nobody(name: String?) {
        ServiceManager(environment: name.map { ["NOTIFY_SOCKET": $0] } ?? [:]).notify("READY=1")
    }

    @Test(
        "a sign of life is due at half of what systemd grants",
        arguments: [
            (nil, nil), ("10000000", 5_000_000_000), ("1", 10_000_000), ("soon", nil), ("0", nil), ("-5", nil),
            ("9223372036854775807", 43_200_000_000_000),
        ] as [(String?, Int64?)])
    func watchdog(microseconds: String?, interval: Int64?) {
        let environment = microseconds.map { ["WATCHDOG_USEC": $0] } ?? [:]
        #expect(ServiceManager(environment: environment).watchdogInterval == interval)
    }

    @Test("a watchdog that was meant for another process is not ours to feed")
    func watchdogOfAnother() {
        let other = ServiceManager(environment: ["WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"])
        #expect(other.watchdogInterval == nil)
        let ours = ServiceManager(environment: ["WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "\(getpid())"])
        #expect(ours.watchdogInterval == 5_000_000_000)
    }

    @Test("the environment is read as it is")
    func environment() {
        setenv("WANCTL_TEST_VARIABLE", "a=b", 1)
        #expect(environmentVariables()["WANCTL_TEST_VARIABLE"] == "a=b")
    }
}
