internal import Glibc
internal import LinuxIO

/// A program run to its end in the calling thread's namespace.
struct MeasuredChild {
    /// User and system time of the child (getrusage(2)).
    var cpuNanoseconds: Int64
    var errorText: String

    /// Waits for the program to end with status 0; what it writes to its standard error is kept, its output is not.
    @discardableResult
    static func run(_ arguments: String...) throws -> MeasuredChild {
        let nothing = try Spawn.nothing()
        let errors = try MemoryFile()
        // A program without any other in front of it, whose work would count as its own.
        let pid = try Spawn.start(
            arguments, input: nothing.raw, output: nothing.raw, error: errors.descriptor.raw, group: .starters)
        var status: Int32 = 0
        var usage = rusage()
        _ = try checked("wait4(2)") { wait4(pid, &status, 0, &usage) }
        let text = try errors.text()
        guard status == 0 else {
            throw LabError("run \(arguments.joined(separator: " "))", "\(ExitStatus(word: status)): \(text)")
        }
        return MeasuredChild(cpuNanoseconds: usage.ru_utime.nanoseconds + usage.ru_stime.nanoseconds, errorText: text)
    }
}

extension timeval {
    fileprivate var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_usec) * 1000 }
}
