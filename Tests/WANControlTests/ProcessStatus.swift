import Glibc
import LinuxIO
import Testing

/// What /proc says of this process (proc_pid_status(5)), as a second opinion.
struct ProcessStatus {
    var pid: Int32
    var uid: UInt32
    var groups: Set<UInt32>

    static func ofThisProcess() throws -> ProcessStatus {
        let text = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
        func numbers(_ name: String) throws -> [Substring] {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name):") })
            return line.dropFirst(name.count + 1).split { $0 == "\t" || $0 == " " }
        }
        return ProcessStatus(
            pid: try #require(Int32(try numbers("Pid")[0])), uid: try #require(UInt32(try numbers("Uid")[1])),
            groups: Set((try numbers("Groups") + [try numbers("Gid")[1]]).compactMap { UInt32($0) }))
    }
}

extension Files {
    /// Lets anybody pass through a directory.
    static func openToAll(_ directory: String) throws {
        _ = try checked("chmod(2)", directory) { chmod(directory, 0o755) }
    }
}
