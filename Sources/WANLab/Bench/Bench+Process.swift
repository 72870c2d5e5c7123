internal import Glibc
internal import LinuxIO
internal import WANControl

/// The daemon as a process: what it costs to have, and that it may die.
extension Bench {
    func restart() throws {
        try sheet.heading("The daemon is killed (SIGKILL) and started again, traffic runs on")
        let site = try BenchSite(on: stage)
        try site.settle()
        var losses: [ClientPair.Loss] = []
        for _ in 0..<runs {
            let clients = try site.clients()
            site.router.kill()
            try stage.linger(.milliseconds(200))
            try site.router.restart()
            try stage.linger(.milliseconds(500))
            losses.append(try clients.loss())
        }
        try sheet.losses(losses)
    }

    /// A quiet minute with three uplinks and three targets each.
    func idle() throws {
        try sheet.heading("The daemon on a quiet day, 3 uplinks × 3 targets")
        let site = try BenchSite(on: stage)
        try site.settle()
        let process = DaemonProcess(pid: site.router.pid)
        let before = try (process.cpu(), site.router.status())
        let began = Clock.boottime()
        try stage.linger(.seconds(60))
        let share = Double(try process.cpu() - before.0) / Double(Clock.boottime() - began) * 100
        let resident = try process.residentKiB()
        let threads = try process.threads()
        let children = process.children.count
        let status = try site.router.status()
        try sheet.figure(
            "RSS", "\(Figure.fixed(Double(resident) / 1024, 1)) MiB", bar: ("≤ 10 MB", resident * 1024 <= 10_000_000))
        try sheet.figure("CPU, of one core", "\(Figure.fixed(share, 3)) %", bar: ("≤ 0.2 %", share <= 0.2))
        try sheet.figure("threads", "\(threads)", bar: ("1", threads == 1))
        try sheet.never("child processes", children)
        let probes = Double((status[.soracom]?.bytes.probes ?? 0) - (before.1[.soracom]?.bytes.probes ?? 0))
        // A keepalive each 25 minutes at most, as big as a ping and its answer.
        let minutes = 60.0 * 24 * 30
        let month = (probes * minutes + minutes / 25 * 2 * 84) / 1e6
        try sheet.figure(
            "probes on the metered standby, a month", "\(Figure.fixed(month, 2)) MB", bar: ("≤ 5 MB", month <= 5))
    }
}

/// A process as /proc shows it (proc(5)).
struct DaemonProcess: Sendable {
    let pid: Int32

    /// Nanoseconds on a CPU, of all its threads (Documentation/scheduler/sched-stats.rst).
    func cpu() throws(LabError) -> Int64 {
        try doing("read the daemon's CPU time") {
            try directoryEntries("/proc/\(pid)/task").reduce(0) { sum, task in
                let fields = try Files.text("/proc/\(pid)/task/\(task)/schedstat").split(separator: " ")
                return sum + (fields.first.flatMap { Int64($0) } ?? 0)
            }
        }
    }

    func residentKiB() throws(LabError) -> Int { try statusNumber("VmRSS:") }
    func threads() throws(LabError) -> Int { try statusNumber("Threads:") }

    var children: [Int32] {
        directoryEntries("/proc/\(pid)/task").flatMap { task in
            let text = (try? Files.text("/proc/\(pid)/task/\(task)/children")) ?? ""  // gone is none
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    private func statusNumber(_ name: String) throws(LabError) -> Int {
        let text = try doing("read the daemon's status") { try Files.text("/proc/\(pid)/status") }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        let number = line?.dropFirst(name.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap {
            Int($0)
        }
        guard let number else { throw LabError("read the daemon's \(name)", "it is not there") }
        return number
    }
}
