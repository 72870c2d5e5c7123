internal import CLinux
internal import Glibc
internal import LinuxIO

/// A program that ran to its end, and what it said.
package struct CommandResult: Hashable, Sendable {
    package var status: ExitStatus
    package var output: String
    package var errors: String

    package var succeeded: Bool { status == .exited(0) }
}

/// Runs short programs and waits for them.
enum Command {
    /// Kills the program at the deadline; `start` may have a word about its being started. Input and output are memory files (memfd_create(2)) and not pipes: nobody waits
    /// for a reader, and a program's own children can hold nothing up.
    static func run(
        _ arguments: [String], in namespace: String? = nil, input: String = "", atMost limit: Duration = .seconds(20),
        environment: [String: String] = [:], start: (_ make: () throws -> Child) throws -> Child = { try $0() }
    ) throws(LabError) -> CommandResult {
        try doing("run \(arguments.joined(separator: " "))") {
            let inputFile = try MemoryFile()
            let outputFile = try MemoryFile()
            let errorFile = try MemoryFile()
            try inputFile.fill(with: Array(input.utf8))
            let child = try start {
                try Child(
                    pid: try Spawn.start(
                        Spawn.words(for: arguments, in: namespace), input: inputFile.descriptor.raw,
                        output: outputFile.descriptor.raw, error: errorFile.descriptor.raw, environment: environment),
                    logPath: "/dev/null")
            }
            guard let status = child.wait(atMost: limit) else {
                child.kill()
                throw LabError("run it", "it did not end within \(limit)")
            }
            return CommandResult(status: status, output: try outputFile.text(), errors: try errorFile.text())
        }
    }

    /// Runs a program that must succeed; what it said is the problem.
    @discardableResult
    static func mustRun(
        _ arguments: [String], in namespace: String? = nil, input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> String {
        try output(of: arguments, try run(arguments, in: namespace, input: input, atMost: limit))
    }

    /// What a program said that must have succeeded.
    static func output(of arguments: [String], _ result: CommandResult) throws(LabError) -> String {
        guard result.succeeded else {
            throw LabError(
                "run \(arguments.joined(separator: " "))", "\(result.status): \(result.errors)\(result.output)")
        }
        return result.output
    }
}

/// A file without a name (memfd_create(2)).
struct MemoryFile: ~Copyable {
    let descriptor: OwnedDescriptor

    init() throws(SystemCallError) {
        descriptor = OwnedDescriptor(
            taking: try checked("memfd_create(2)") { wan_memfd_create("wanctl-lab", UInt32(WAN_MFD_CLOEXEC)) })
    }

    func fill(with bytes: [UInt8]) throws(SystemCallError) {
        var done = 0
        while done < bytes.count {
            let from = done
            done += try checked("write(2)") {
                bytes[from...].withUnsafeBytes { write(descriptor.raw, $0.baseAddress, $0.count) }
            }
        }
        try rewind()
    }

    func text() throws(SystemCallError) -> String {
        try rewind()
        return String(decoding: try Files.read(descriptor, limit: 64 << 20, name: "memfd"), as: UTF8.self)
    }

    private func rewind() throws(SystemCallError) {
        _ = try checked("lseek(2)") { lseek(descriptor.raw, 0, SEEK_SET) }
    }
}
