internal import CLinux
internal import Glibc

/// A process of somebody else's, held by a pidfd (pidfd_open(2)): none that gets its number later is taken for it.
package struct RunningProcess: ~Copyable {
    package let pid: Int32
    private let handle: OwnedDescriptor

    /// `nil` where it has ended.
    package init?(_ pid: Int32) throws(SystemCallError) {
        let raw = wan_pidfd_open(pid)
        guard raw >= 0 else {
            if Glibc.errno == ESRCH { return nil }
            throw SystemCallError(call: "pidfd_open(2)", subject: "process \(pid)")
        }
        self.pid = pid
        handle = OwnedDescriptor(taking: raw)
    }

    /// As ps(1) shows it; `nil` where it has ended, or may not be looked at (hidepid, proc_pid(5)).
    package var name: String? {
        guard let name = try? Files.text("/proc/\(pid)/comm"), !hasEnded(within: 0) else { return nil }
        return name
    }

    /// Whether it runs on a processor or waits for one (state R, proc_pid_stat(5)).
    package static func isBusy(_ pid: Int32) -> Bool {
        // The name before the state is in parentheses, and may hold some.
        (try? Files.text("/proc/\(pid)/stat"))?.split(separator: ")").last?.hasPrefix(" R") ?? false
    }

    /// SIGKILL.
    package func kill() throws(SystemCallError) {
        let raw = handle.raw
        _ = try checked("kill(2)", "process \(pid)") { wan_pidfd_send_signal(raw, SIGKILL) }
    }

    /// Waits for its end, so many milliseconds at most.
    package func hasEnded(within milliseconds: Int32) -> Bool {
        var ready = pollfd(fd: handle.raw, events: Int16(POLLIN), revents: 0)
        return poll(&ready, 1, milliseconds) == 1
    }
}
