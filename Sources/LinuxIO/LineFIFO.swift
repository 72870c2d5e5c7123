internal import CLinux
internal import Glibc

/// A FIFO (fifo(7)) at a path, into which other programs write lines, read without waiting.
///
/// It is opened for reading alone and without waiting, so that the end of the last writer is seen; a writer that comes later is
/// read as the first one was. Lines of up to PIPE_BUF (4096) bytes that were written with one write(2) arrive whole. What is
/// written while nobody reads stays in it, up to the pipe's 64 KiB, for as long as any program holds it open.
package struct LineFIFO: ~Copyable {
    package let path: String
    /// To be watched for reading, edge-triggered: without a writer it hangs up for as long as there is none. `lines()` until
    /// there are none, when it is ready.
    package let descriptor: OwnedDescriptor
    /// Whether a program had it open for writing when it was last read; `nil` before that.
    package private(set) var hasWriter: Bool?
    /// Whether it had to be made: who wrote into an earlier one at this path has to open it again.
    package let wasMade: Bool
    private let device: UInt64
    private let inode: UInt64
    private var pending: [UInt8]
    /// Inside a line that has grown past the limit: skipped up to its newline.
    private var isSkipping = false

    /// Longer lines are left out.
    package static let longestLine = 4096
    /// What one call of `lines()` takes at most: a full pipe.
    private static let mostBytes = 64 << 10

    /// Opens the FIFO, making it and its directory where they are missing.
    ///
    /// One that may not be opened (EACCES: another user's, made in our directory) is replaced. Anything else at the path stays
    /// and is an error: EEXIST for what is no FIFO, ELOOP for a symbolic link.
    package init(_ path: String, mode: UInt32 = 0o600) throws(SystemCallError) {
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try Files.makeDirectory(String(path[..<slash]), mode: 0o755)
        }
        var made = try Self.make(path, mode)
        var opened: OwnedDescriptor
        do throws(SystemCallError) {
            opened = try Self.open(path)
        } catch  where !made && (error.errno == EACCES || error.errno == ENOENT) {
            if error.errno == EACCES, try Self.identity(at: path) != nil { Files.remove(path) }
            made = try Self.make(path, mode)
            opened = try Self.open(path)
        }
        var status = stat()
        let raw = opened.raw
        _ = try checked("fstat(2)", path) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFIFO else {
            throw SystemCallError(call: "mkfifo(3)", errno: EEXIST, subject: "\(path), which is no FIFO")
        }
        // Swift 6.2 destroys twice what is set when this throws: all that needs destroying is set after the last `try`.
        pending = []
        self.path = path
        wasMade = made
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        descriptor = opened
    }

    /// Whether the path still leads to this FIFO: where it does not, nobody who opens it from now on reaches us.
    package var isIntact: Bool {
        // A path that cannot be looked at is as lost as one that leads elsewhere.
        guard let found = try? Self.identity(at: path) else { return false }
        return found == (device, inode)
    }

    /// What has arrived, without newlines; bytes that are no UTF-8 are replaced. Empty where nothing waits.
    package mutating func lines() throws(SystemCallError) -> [String] {
        var lines: [String] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var taken = 0
        let raw = descriptor.raw
        while taken < Self.mostBytes {
            let count = read(raw, &chunk, chunk.count)
            if count < 0 {
                if Glibc.errno == EINTR { continue }
                guard Glibc.errno == EAGAIN else { throw SystemCallError(call: "read(2)", subject: path) }
                hasWriter = true
                break
            }
            // pipe(7): only a pipe without writers ends.
            hasWriter = count > 0
            if count == 0 { break }
            taken += count
            take(chunk[..<count], into: &lines)
        }
        return lines
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, into lines: inout [String]) {
        var rest = bytes
        while let end = rest.firstIndex(of: 10) {
            if !isSkipping, pending.count + end - rest.startIndex <= Self.longestLine {
                lines.append(String(decoding: pending + rest[..<end], as: UTF8.self))
            }
            pending = []
            isSkipping = false
            rest = rest[(end + 1)...]
        }
        if isSkipping { return }
        pending += rest
        if pending.count > Self.longestLine {
            pending = []
            isSkipping = true
        }
    }

    /// Whether it was made; one that is there is left as it is.
    private static func make(_ path: String, _ mode: UInt32) throws(SystemCallError) -> Bool {
        if mkfifo(path, mode) == 0 { return true }
        if Glibc.errno == EEXIST { return false }
        throw SystemCallError(call: "mkfifo(3)", subject: path)
    }

    private static func open(_ path: String) throws(SystemCallError) -> OwnedDescriptor {
        OwnedDescriptor(
            taking: try checked("open(2)", path) {
                Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
            })
    }

    /// Of the FIFO at the path; `nil` where something else is there.
    private static func identity(at path: String) throws(SystemCallError) -> (UInt64, UInt64)? {
        var status = stat()
        _ = try checked("lstat(2)", path) { lstat(path, &status) }
        return status.st_mode & S_IFMT == S_IFIFO ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
    }
}
