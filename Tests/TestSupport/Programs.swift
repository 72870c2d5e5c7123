internal import Glibc
package import LinuxIO

/// The programs of this package, as built beside the tests.
package enum Programs {
    /// Finds `.build/debug/NAME` from where the test bundle lies.
    package static func path(_ name: String) throws -> String {
        for start in [executable, CommandLine.arguments[0], workingDirectory + "/.build/debug/x"] {
            var folder = start[...]
            while let slash = folder.lastIndex(of: "/") {
                folder = folder[..<slash]
                for candidate in ["\(folder)/\(name)", "\(folder)/debug/\(name)"] where access(candidate, X_OK) == 0 {
                    var status = stat()
                    if stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return candidate }
                }
            }
        }
        throw SystemCallError(call: "access(2)", errno: ENOENT, subject: "\(name), built beside the tests")
    }

    /// Runs a command of the system, found in the usual directories, and waits for it; throws unless it says 0.
    package static func run(
        _ name: String, _ arguments: [String], errors: ChildProcess.Stream = .inherit, seconds: Int64 = 10
    ) throws {
        let paths = ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + name }
        let path: String = paths.first { access($0, X_OK) == 0 } ?? name
        let child = try ChildProcess(path, arguments, errors: errors)
        let exit = try child.wait(until: Clock.boottime() + seconds * 1_000_000_000)
        guard exit == .code(0) else {
            throw CommandFailed(command: ([name] + arguments).joined(separator: " "), exit: exit)
        }
    }

    /// A directory as `ls -l` shows it, with what its files say.
    package static func listing(of directory: String) throws -> String {
        let script = "cd \"$1\" && ls -lAi --time-style=full-iso && find . -type f -exec tail -v -n +1 {} +"
        return try Command.run(["sh", "-c", script, "listing", directory])
    }

    package struct CommandFailed: Error, CustomStringConvertible {
        package var command: String
        package var exit: ChildProcess.Exit?
        package var description: String { "\(command): \(exit.map { "\($0)" } ?? "not done in time")" }
    }

    private static var executable: String { resolved("/proc/self/exe") }
    private static var workingDirectory: String { resolved(".") }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return "" }
        defer { free(real) }
        return String(cString: real)
    }
}

/// A directory under /tmp that goes with its owner.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/wanctl-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError(call: "mkdtemp(3)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? Programs.run("rm", ["-rf", path]) }

    /// Writes a file with this mode and gives its path.
    package func write(_ text: String, to name: String, mode: UInt32) throws -> String {
        let path = "\(path)/\(name)"
        try Files.replace(path, with: Array(text.utf8))
        guard chmod(path, mode) == 0 else { throw SystemCallError(call: "chmod(2)", subject: path) }
        return path
    }
}
