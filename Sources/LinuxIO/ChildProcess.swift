internal import CLinux
internal import Glibc

/// A program we started: its process and a descriptor that becomes readable when it ends (pidfd_open(2)).
package struct ChildProcess: ~Copyable {
    package let pid: Int32
    package let exit: OwnedDescriptor

    /// Starts a program with one end of a stream as its standard input and output-less otherwise; stderr is shared.
    ///
    /// It gets no descriptor but those, no blocked signal, and no environment but what is given. posix_spawn(3) does not
    /// copy our memory, so the caller is held up for about a millisecond.
    package static func spawn(
        _ path: String, arguments: [String], environment: [String], input: borrowing OwnedDescriptor
    ) throws(SystemCallError) -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.raw, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw SystemCallError(call: "posix_spawn(3)", errno: result, subject: path) }
        let started = pid
        do throws(SystemCallError) {
            let raw = try checked("pidfd_open(2)") { wan_pidfd_open(started) }
            return ChildProcess(pid: started, exit: OwnedDescriptor(taking: raw))
        } catch {
            Glibc.kill(started, SIGKILL)
            var status: Int32 = 0
            waitpid(started, &status, 0)
            throw error
        }
    }

    /// Once `exit` is readable: takes the end of the process in; how it ended, in words.
    package func reap() -> String {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return "still running" }
        return status & 0x7f == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
    }

    package func kill() { Glibc.kill(pid, SIGKILL) }
}

/// Two connected stream ends (socketpair(2)), closed on exec.
package func streamPair() throws(SystemCallError) -> (OwnedDescriptor, OwnedDescriptor) {
    var ends: [Int32] = [-1, -1]
    _ = try checked("socketpair(2)") {
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
    }
    return (OwnedDescriptor(taking: ends[0]), OwnedDescriptor(taking: ends[1]))
}
