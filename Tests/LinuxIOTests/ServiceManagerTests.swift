import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("ServiceManager speaks sd_notify(3)")
struct ServiceManagerTests {
    @Test("lines of one call are one message, at a path")
    func path() throws {
        let directory = try TemporaryDirectory()
        let name = "\(directory.path)/notify"
        let listener = try NotifyListener(name)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name])
        manager.notify("READY=1", "STATUS=all well, traffic on ftth")
        manager.notify("WATCHDOG=1")
        #expect(listener.message() == "READY=1\nSTATUS=all well, traffic on ftth")
        #expect(listener.message() == "WATCHDOG=1")
        #expect(listener.message() == nil)
    }

    @Test("at an abstract name too")
    func abstract() throws {
        let name = "@wanctl-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        let listener = try NotifyListener(name)
        ServiceManager(environment: ["NOTIFY_SOCKET": name]).notify("READY=1")
        #expect(listener.message() == "READY=1")
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
