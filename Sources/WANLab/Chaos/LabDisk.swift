internal import Glibc
internal import LinuxIO

/// A disk of a mebibyte for one machine of a lab, which can be full: a tmpfs(5).
///
/// It is in the mount namespace of a program of the lab, so nothing is mounted on this machine, and it goes with the lab.
package final class LabDisk: Sendable {
    private let holder: Child
    /// Its directory, in the holder's eyes (proc(5), root): where everybody finds it.
    package let path: String
    /// Where those find it who enter by `entrance`.
    let directory: String

    private static let size = 1 << 20

    /// - Parameters:
    ///   - directory: Where the holder mounts it; below the lab's own.
    ///   - place: Where the holder runs: not on the machine, which keeps its disk when it loses its power.
    package init(
        at directory: String, of lab: some Laboratory, holder place: some LabMachine
    ) throws(LabError) {
        try doing("make \(directory)") { try Files.makeDirectory(directory, mode: 0o755) }
        let script = "mount -t tmpfs -o size=\(Self.size),mode=0755 wanctl-lab \"$1\" && exec sleep infinity"
        let holder = try lab.life.spawn(
            in: place.namespace(of: lab.id), ["sh", "-c", script, "disk", directory], environment: [:], logPath: nil,
            label: "disk")
        try holder.wait("a disk at \(directory)", atMost: .seconds(10)) { () throws(LabError) in
            ((try? Files.text("/proc/\(holder.pid)/mountinfo")) ?? "").contains(" \(directory) ")
        }
        self.holder = holder
        self.directory = directory
        path = "/proc/\(holder.pid)/root\(directory)"
    }

    /// In front of a program's name: it has the disk in its place, and this network namespace with the /sys of that.
    func entrance(to namespace: String) -> [String] {
        ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--", "ip", "netns", "exec", namespace]
    }

    /// Takes all room that is left.
    package func fill() throws(LabError) {
        try doing("fill the disk at \(path)") {
            let file = try openFile(filler, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
            let zeros = [UInt8](repeating: 0, count: 4096)
            for _ in 0...Self.size / zeros.count {
                if write(file.raw, zeros, zeros.count) < zeros.count { return }
            }
            throw LabError("", "it takes more than it has")
        }
    }

    /// It has room again.
    package func relieve() { Files.remove(filler) }

    /// Nothing is left on it, as of a /run after a boot.
    func clear() { for name in directoryEntries(path) { removeTree("\(path)/\(name)") } }

    private var filler: String { "\(path)/filler" }
}
