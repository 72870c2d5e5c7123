internal import Glibc
internal import LinuxIO

/// A program run to its end in the calling thread's namespace.
struct MeasuredChild {
    /// User and system time of the child (getrusage(2)).
    var cpuNanoseconds: Int64
    var errorText: String

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    /// Waits for the program to end with status 0; what it writes to its standard error is kept, its output is not.
    @discardableResult
    static func run(_ program: String, _ arguments: String...) throws -> MeasuredChild {
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        // O_TMPFILE (fcntl.h, __O_TMPFILE | O_DIRECTORY) is hidden behind _GNU_SOURCE.
        let temporaryFile: Int32 = 0x410000
        // A file without a name: a pipe would fill up while nobody reads it.
        let errors = OwnedDescriptor(
            taking: try checked("open(2) O_TMPFILE", "/tmp") {
                open("/tmp", O_RDWR | O_CLOEXEC | temporaryFile, 0o600)
            })
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors.raw, 2)
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, program, &actions, nil, words, environ)
        guard result == 0 else {
            throw SystemCallError(call: "posix_spawnp(3)", errno: result, subject: program)
        }
        var status: Int32 = 0
        var usage = rusage()
        _ = try checked("wait4(2)", program) { wait4(pid, &status, 0, &usage) }
        lseek(errors.raw, 0, SEEK_SET)
        let text = String(decoding: try Files.read(errors, limit: 1 << 20, name: program), as: UTF8.self)
        guard status == 0 else {
            throw Failed(description: "\(program) \(arguments.joined(separator: " ")): status \(status): \(text)")
        }
        return MeasuredChild(cpuNanoseconds: usage.ru_utime.nanoseconds + usage.ru_stime.nanoseconds, errorText: text)
    }
}

extension timeval {
    fileprivate var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_usec) * 1000 }
}
