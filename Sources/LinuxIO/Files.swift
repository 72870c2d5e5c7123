internal import CLinux
internal import Glibc

/// Small files: /proc, /sys, policy, state.
package enum Files {
    /// The whole file, refused past `limit` bytes (EFBIG).
    package static func read(_ path: String, limit: Int = 1 << 20) throws(SystemCallError) -> [UInt8] {
        let file = OwnedDescriptor(taking: try checked("open(2)", path) { open(path, O_RDONLY | O_CLOEXEC) })
        return try read(file, limit: limit, name: path)
    }

    package static func read(
        _ file: borrowing OwnedDescriptor, limit: Int, name: String
    ) throws(SystemCallError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        let raw = file.raw
        while true {
            let count = try checked("read(2)", name) { Glibc.read(raw, &chunk, chunk.count) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw SystemCallError(call: "read(2)", errno: EFBIG, subject: name) }
        }
    }

    /// Text of a small file without its last newline.
    package static func text(_ path: String) throws(SystemCallError) -> String {
        var bytes = try read(path)
        if bytes.last == 10 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes into an existing file as it is, as /proc/sys wants it.
    package static func write(_ text: String, to path: String) throws(SystemCallError) {
        let file = OwnedDescriptor(taking: try checked("open(2)", path) { open(path, O_WRONLY | O_CLOEXEC) })
        try writeAll(Array(text.utf8), to: file, name: path)
    }

    /// Replaces a file in one step: readers see the old or the new one, never a part (rename(2)).
    ///
    /// There is no fsync(2): nothing on the daemon's path may wait for a disk. ext4 writes the data of a renamed file out
    /// by itself before the rename (auto_da_alloc, ext4(5)). It gets this mode whatever the umask is.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o644
    ) throws(SystemCallError) {
        let temporary = path + ".new"
        let file = OwnedDescriptor(
            taking: try checked("open(2)", temporary) {
                // O_NONBLOCK: a FIFO that somebody put in the way must not hold us.
                open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode)
            })
        let raw = file.raw
        do throws(SystemCallError) {
            _ = try checked("fchmod(2)", temporary) { fchmod(raw, mode) }
            try writeAll(bytes, to: file, name: temporary)
            _ = try checked("rename(2)", path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Adds to the end of a file, making it where it is missing; the number of bytes. Where there is room for a part only, none is added.
    package static func append(_ bytes: [UInt8], to path: String, mode: UInt32) throws(SystemCallError) -> Int {
        let file = OwnedDescriptor(
            taking: try checked("open(2)", path) { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode) })
        let raw = file.raw
        let end = lseek(raw, 0, SEEK_END)
        do throws(SystemCallError) {
            try writeAll(bytes, to: file, name: path)
        } catch {
            if end >= 0 { _ = ftruncate(raw, end) }
            throw error
        }
        return bytes.count
    }

    private static func writeAll(
        _ bytes: [UInt8], to file: borrowing OwnedDescriptor, name: String
    ) throws(SystemCallError) {
        let raw = file.raw
        try checkedToTheEnd("write(2)", name, bytes) { rest, _ in Glibc.write(raw, rest.baseAddress, rest.count) }
    }

    /// Makes a directory and those above it; one that is there is left as it is.
    package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemCallError) {
        guard !exists(path) else { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: 0o755)
        }
        guard mkdir(path, mode) == 0 || Glibc.errno == EEXIST else {
            throw SystemCallError(call: "mkdir(2)", subject: path)
        }
    }

    /// Removes a directory of that user's, if it is empty.
    package static func removeDirectory(_ path: String, ifOwnedBy user: UInt32) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_uid == user { rmdir(path) }
    }

    /// A path that means the same in every directory; an empty one stays so.
    package static func absolute(_ path: String) -> String {
        guard !path.isEmpty, !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return "\(String(cString: here))/\(path)"
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func remove(_ path: String) { unlink(path) }
}
