import Glibc
import LinuxIO
import Testing

/// The real `wanctl` as a child, with the loop going on while it runs so that the test's server can answer.
struct ProgramRun {
    var exitCode: Int32
    var output: String
    var error: String

    /// The program that was built beside these tests.
    static func sibling(_ name: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        try #require(length > 0)
        var directory = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // `swift test` runs the bundle itself, or swiftpm-testing-helper with the bundle among its arguments.
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) { directory = bundle }
        let path = directory.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
        try #require(Files.exists(path), "\(path) is not built: swift build --build-tests")
        return path
    }

    /// `terminal`: standard output is a pseudo-terminal of so many columns, as `TERM=xterm` has it.
    static func wanctl(
        _ arguments: [String], program: String = "wanctl", in world: ControlWorld, environment: [String] = [],
        terminal: Int? = nil,
        as user: UInt32? = nil, until enough: ((String) -> Bool)? = nil
    ) throws -> ProgramRun {
        let output = try terminal.map { try ChildOutput(columns: $0) } ?? ChildOutput()
        let error = try ChildOutput()
        var argv = [try sibling(program)] + arguments
        if let user {
            argv = ["/usr/bin/setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] + argv
        }
        let child = try spawn(argv, environment: environment + ["TZ=UTC", "TERM=xterm"], output, error)
        var told = false
        try world.wait("\(program) \(arguments.joined(separator: " ")) to end", seconds: 30) {
            try output.read()
            try error.read()
            if let enough, !told, enough(output.text) {
                told = true
                kill(child, SIGTERM)
            }
            return output.hasEnded && error.hasEnded
        }
        if !(output.hasEnded && error.hasEnded) { kill(child, SIGKILL) }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
        return ProgramRun(exitCode: code, output: output.text, error: error.text)
    }

    private static func spawn(
        _ argv: [String], environment: [String], _ output: ChildOutput, _ error: ChildOutput
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The threads that tests run on block most signals, and a child inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.childEnd, 1)
        posix_spawn_file_actions_adddup2(&actions, error.childEnd, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = argv.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, argv[0], &actions, &attributes, &arguments, &variables)
        output.closeChildEnd()
        error.closeChildEnd()
        guard result == 0 else { throw SystemCallError(call: "posix_spawn(3)", errno: result, subject: argv[0]) }
        return child
    }
}

/// The reading end of a child's output: a pipe or a pseudo-terminal (pty(7)).
final class ChildOutput {
    private let reader: OwnedDescriptor
    private(set) var childEnd: Int32
    private var bytes: [UInt8] = []
    private(set) var hasEnded = false
    private let isTerminal: Bool

    init() throws {
        var ends: [Int32] = [0, 0]
        _ = try checked("pipe(2)") { pipe(&ends) }
        reader = OwnedDescriptor(taking: ends[0])
        childEnd = ends[1]
        isTerminal = false
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        try reader.setNonBlocking()
    }

    init(columns: Int) throws {
        let controller = try checked("open(2)", "/dev/ptmx") { open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) }
        reader = OwnedDescriptor(taking: controller)
        isTerminal = true
        // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)), TIOCSWINSZ with rows, columns and two more.
        var unlock: Int32 = 0
        var number: UInt32 = 0
        var size: [UInt16] = [24, UInt16(columns), 0, 0]
        _ = try checked("ioctl(2) TIOCSPTLCK") { ioctl(controller, 0x4004_5431, &unlock) }
        _ = try checked("ioctl(2) TIOCGPTN") { ioctl(controller, 0x8004_5430, &number) }
        _ = try checked("ioctl(2) TIOCSWINSZ") { ioctl(controller, 0x5414, &size) }
        let name = "/dev/pts/\(number)"
        childEnd = try checked("open(2)", name) { open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) }
        try reader.setNonBlocking()
    }

    deinit { closeChildEnd() }

    func closeChildEnd() {
        if childEnd >= 0 { close(childEnd) }
        childEnd = -1
    }

    func read() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while !hasEnded {
            let count = Glibc.read(reader.raw, &chunk, chunk.count)
            if count > 0 {
                bytes += chunk[..<count]
            } else if count < 0 && errno == EAGAIN {
                return
            } else {
                hasEnded = true  // the end of a pipe; EIO from a terminal whose other side is closed
            }
        }
    }

    /// A terminal turns \n into \r\n (ONLCR, termios(3)).
    var text: String {
        let text = String(decoding: bytes, as: UTF8.self)
        return isTerminal
            ? text.split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: "\n") : text
    }
}
