internal import Glibc
internal import LinuxIO

/// A disk of a mebibyte for a directory of one machine of a lab, which can be full: a tmpfs(5) that only those see who are
/// started by `entrance`.
///
/// It is in the mount namespace of a program of the lab, so it goes with that, and nothing of it is ever mounted outside.
final class LabDisk: Sendable {
    private let holder: Child
    private let path: String
    private let namespace: String

    private static let size = 1 << 20

    /// - Parameters:
    ///   - path: The directory; it is made where it is missing.
    ///   - lab: Whose machine it is. The holder runs in the client's place, for a box that loses its power keeps its disk.
    init(at path: String, of lab: any Laboratory, holder place: String, machine: String) throws(LabError) {
        try doing("make \(path)") { try Files.makeDirectory(path, mode: 0o750) }
        let script = "mount -t tmpfs -o size=\(Self.size),mode=0750 wanctl-lab \"$1\" && exec sleep infinity"
        let words = ["sh", "-c", script, "disk", path]
        holder = try lab.life.spawn(
            in: place, words, environment: [:], logPath: nil, label: "disk")
        self.path = path
        namespace = machine
        try holder.wait("a disk at \(path)", atMost: .seconds(10)) { () throws(LabError) in
            ((try? Files.text("/proc/\(holder.pid)/mountinfo")) ?? "").contains(" \(path) ")
        }
    }

    /// What stands in front of a program's name. It enters the machine's network a second time, for the /sys of that.
    var entrance: [String] {
        ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--", "ip", "netns", "exec", namespace]
    }

    /// Takes all room that is left.
    func fill() throws(LabError) {
        try doing("fill the disk at \(path)") {
            let file = try openFile(filler, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
            let zeros = [UInt8](repeating: 0, count: 4096)
            for _ in 0...Self.size / zeros.count {
                if write(file.raw, zeros, zeros.count) < zeros.count { return }
            }
            throw LabError("", "it takes more than it has")
        }
    }

    func empty() { Files.remove(filler) }

    /// In the holder's eyes (proc(5), root).
    private var filler: String { "/proc/\(holder.pid)/root\(path)/filler" }
}
