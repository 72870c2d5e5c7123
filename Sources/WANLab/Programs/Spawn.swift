internal import CLinux
internal import Glibc
internal import LinuxIO

/// posix_spawn(3) as the lab needs it: signals as a fresh program expects them, a process group or session of its own.
enum Spawn {
    /// What programs of the lab see, whoever runs the lab; more can be given for each.
    static let environment: [String: String] = {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
        ]
        for name in ["LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "SWIFT_BACKTRACE", "TERM"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }()

    /// The process group a program is in: one of its own, one of a session of its own, or its starter's.
    enum Group { case own, session, starters }

    /// The words in front of a command that put it into a namespace and end it with its starter.
    ///
    /// `ip netns exec` rather than setns(2) alone: it also mounts a /sys that shows the namespace's interfaces. The death
    /// signal (prctl(2) PR_SET_PDEATHSIG) comes when the *thread* that started the program ends.
    static func words(for arguments: [String], in namespace: String?) -> [String] {
        let enter = namespace.map { ["ip", "netns", "exec", $0] } ?? []
        return ["setpriv", "--pdeathsig", "KILL", "--"] + enter + arguments
    }

    /// A program without its path.
    static func name(of arguments: [String]) -> String {
        arguments.first?.split(separator: "/").last.map(String.init) ?? "program"
    }

    static func start(
        _ arguments: [String], input: Int32, output: Int32, error: Int32, environment extra: [String: String] = [:],
        group: Group = .own
    ) throws(SystemCallError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (target, source) in [input, output, error].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        switch group {
        case .own: flags |= Int32(POSIX_SPAWN_SETPGROUP)
        case .session: flags |= Int32(WAN_POSIX_SPAWN_SETSID)
        case .starters: break
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let variables = environment.merging(extra) { $1 }.map { "\($0.key)=\($0.value)" }
        var pid: pid_t = 0
        let problem = withCStrings(arguments) { words in
            withCStrings(variables) { variables in
                words[0].map { posix_spawnp(&pid, $0, &actions, &attributes, words, variables) } ?? ENOENT
            }
        }
        if problem != 0 {
            throw SystemCallError(call: "posix_spawnp(3)", errno: problem, subject: arguments.joined(separator: " "))
        }
        return pid
    }

    /// For a program that reads nothing, or whose words nobody hears.
    static func nothing() throws(SystemCallError) -> OwnedDescriptor { try openFile("/dev/null", O_RDWR) }

    /// A NULL-terminated array of C strings for the duration of the body.
    private static func withCStrings<Answer>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Answer
    ) -> Answer {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
