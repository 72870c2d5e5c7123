internal import CLinux
internal import Glibc

/// A program started from here (posix_spawn(3)), killed and reaped when its owner lets go of it.
///
/// It is born in the calling thread's network namespace, with default signal handling and no blocked signal, and with no
/// descriptor but its standard three.
package struct ChildProcess: ~Copyable, Sendable {
    /// What becomes of a standard descriptor.
    package enum Stream: Sendable {
        /// /dev/null
        case null
        /// The same as ours.
        case inherit
        /// This one of ours, which stays open here.
        case descriptor(Int32)
    }

    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    package let pid: Int32
    /// Readable when the program has ended (pidfd_open(2)).
    package let ended: OwnedDescriptor

    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: Stream = .null,
        output: Stream = .null, errors: Stream = .inherit
    ) throws(SystemCallError) {
        let pid = try Self.spawn(path, arguments, environment, [(input, 0), (output, 1), (errors, 2)])
        let ended = wan_pidfd_open(pid)
        guard ended >= 0 else {
            let error = SystemCallError(call: "pidfd_open(2)", subject: path)
            Self.end(pid)
            throw error
        }
        self.pid = pid
        self.ended = OwnedDescriptor(taking: ended)
    }

    deinit { Self.end(pid) }

    /// Kills and reaps, unless that is done: waitpid(2) knows only children of ours that are not reaped yet.
    private static func end(_ pid: Int32) {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == 0 else { return }
        Glibc.kill(pid, SIGKILL)
        while waitpid(pid, &status, 0) == -1 && Glibc.errno == EINTR {}
    }

    /// Once `ended` is readable: takes the program's end in, without waiting; how it ended, in words.
    package func reap() -> String {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return "still running" }
        let number = status & 0x7f  // WTERMSIG, wait(2)
        return number == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(number)"
    }

    /// Sends a signal. Only before the program was reaped.
    package func signal(_ number: Int32) { Glibc.kill(pid, number) }

    /// How it ended, if it does so before `Clock.boottime` reaches the deadline; if not, it is killed and the answer `nil`.
    package consuming func wait(until deadline: Int64) throws(SystemCallError) -> Exit? {
        while true {
            let left = deadline - Clock.boottime()
            var ready = pollfd(fd: ended.raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(max(0, min((left + 999_999) / 1_000_000, 1_000_000)))
            guard try checked("poll(2)", "", { poll(&ready, 1, milliseconds) }) > 0 else {
                if left <= 0 { return nil }
                continue
            }
            var status: Int32 = 0
            let pid = self.pid
            _ = try checked("waitpid(2)") { waitpid(pid, &status, 0) }
            let number = status & 0x7f  // WTERMSIG, wait(2)
            return number == 0 ? .code(status >> 8 & 0xff) : .signal(number)
        }
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ streams: [(Stream, Int32)]
    ) throws(SystemCallError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (stream, number) in streams {
            switch stream {
            case .null:
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
            // dup2(2) of a descriptor onto itself: posix_spawn clears its close-on-exec flag, as POSIX asks.
            case .inherit: posix_spawn_file_actions_adddup2(&actions, number, number)
            case .descriptor(let ours): posix_spawn_file_actions_adddup2(&actions, ours, number)
            }
        }
        // Ours are all close-on-exec; what whoever started us left open is not.
        wan_spawn_closefrom(&actions, 3)  // glibc 2.34
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

        var pid: pid_t = 0
        let error = withCStrings([path] + arguments) { argv in
            withCStrings(environment.map { "\($0)=\($1)" }) { envp in
                posix_spawn(&pid, path, &actions, &attributes, argv, envp)
            }
        }
        guard error == 0 else { throw SystemCallError(call: "posix_spawn(3)", errno: error, subject: path) }
        return pid
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // The array is never empty: it ends with nil.
            guard let base = buffer.baseAddress else { fatalError("an array with elements has an address") }
            return body(base)
        }
    }
}
