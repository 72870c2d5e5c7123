internal import CLinux
internal import Glibc
package import LinuxIO

/// A network namespace of a test's own: no name, nothing to clean up, gone with the last one that holds it.
package final class TestNamespace: Sendable {
    package let namespace: NetworkNamespace

    private init(_ namespace: consuming NetworkNamespace) { self.namespace = namespace }

    /// Whether namespaces can be made here; use as `.enabled(if: TestNamespace.isAvailable, …)` with `advice`.
    package static let isAvailable: Bool = {
        do {
            _ = try NetworkNamespace.make()
            return true
        } catch {
            return false
        }
    }()

    /// Why tests in namespaces are skipped and what to do about it.
    package static let advice = "needs CAP_SYS_ADMIN to make a network namespace: run as root, or `sudo make test`"

    /// A fresh namespace with its loopback up.
    package static func make() throws -> TestNamespace {
        let made = TestNamespace(try NetworkNamespace.make())
        try made.run("ip", "link", "set", "lo", "up")
        return made
    }

    /// A fresh one with both ends of a cable, v0 with 192.0.2.2/24 and v1, up.
    package static func withCable() throws -> TestNamespace {
        let made = try make()
        try made.run(
            lines: """
                ip link add v0 type veth peer name v1
                ip address add 192.0.2.2/24 dev v0
                ip link set v0 up
                ip link set v1 up
                """)
        return made
    }

    /// Runs `body` with the calling thread inside. It must not suspend.
    package func inside<Answer: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Answer) throws -> Answer {
        try namespace.inside(body)
    }

    /// Runs a command inside and returns what it printed; a failure is thrown with what it complained.
    @discardableResult
    package func run(_ command: String..., input: String = "") throws -> String {
        try namespace.inside { try Command.run(command, input: input) }
    }

    /// Runs each line as a command inside: `ip link add …`. Words are split at spaces; there is no shell.
    package func run(lines: String) throws {
        for line in lines.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.isEmpty { continue }
            _ = try namespace.inside { try Command.run(words) }
        }
    }
}

/// A command that did not succeed.
package struct CommandError: Error, CustomStringConvertible {
    package var command: [String]
    package var status: Int32
    package var output: String

    package var description: String { "\(command.joined(separator: " ")): exit status \(status): \(output)" }
}

/// Runs a program in the calling thread's namespaces and waits for it.
package enum Command {
    package static func run(_ words: [String], input: String = "") throws -> String {
        let out = try scratch()
        let complaints = try scratch()
        let given = try scratch()
        let bytes = Array(input.utf8)
        _ = try checked("pwrite(2)") { pwrite(given.raw, bytes, bytes.count, 0) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, given.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, out.raw, 1)
        posix_spawn_file_actions_adddup2(&actions, complaints.raw, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let refused = posix_spawnp(&child, words[0], &actions, nil, &arguments, environ)
        guard refused == 0 else { throw SystemCallError(call: "posix_spawnp(3)", errno: refused, subject: words[0]) }
        var status: Int32 = 0
        let pid = child
        _ = try checked("waitpid(2)") { waitpid(pid, &status, 0) }
        let printed = try text(of: out)
        guard status == 0 else {
            throw CommandError(
                command: words, status: status & 0x7f == 0 ? status >> 8 & 0xff : status & 0x7f + 128,
                output: try text(of: complaints) + printed)
        }
        return printed
    }

    /// A file without a name: what a child writes never fills a pipe.
    private static func scratch() throws(SystemCallError) -> OwnedDescriptor {
        let path = "/tmp/wanctl-test-\(UInt64.random(in: 0 ... .max))"
        let file = OwnedDescriptor(
            taking: try checked("open(2)", path) { open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) })
        unlink(path)
        return file
    }

    private static func text(of file: borrowing OwnedDescriptor) throws -> String {
        lseek(file.raw, 0, SEEK_SET)
        return String(decoding: try Files.read(file, limit: 64 << 20, name: "output"), as: UTF8.self)
    }
}
