internal import CLinux
internal import Glibc

extension Files {
    /// A whole regular file, refused past `limit` bytes (EFBIG); anything else is refused (EINVAL), for a FIFO or a device
    /// could hold its reader for ever. `isOurs`: what belongs neither to the user we act as nor to root is refused too (EACCES).
    package static func readRegular(
        _ path: String, limit: Int, followsLink: Bool = true, isOurs: Bool = false
    ) throws(SystemCallError) -> [UInt8] {
        // Opening a FIFO waits for its writer, unless it is told not to (fifo(7)).
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLink ? 0 : O_NOFOLLOW)
        let file = OwnedDescriptor(taking: try checked("open(2)", path) { open(path, flags) })
        var status = stat()
        let raw = file.raw
        _ = try checked("fstat(2)", path) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SystemCallError(call: "open(2)", errno: EINVAL, subject: path)
        }
        if isOurs, status.st_uid != 0, status.st_uid != geteuid() {
            throw SystemCallError(call: "open(2)", errno: EACCES, subject: "\(path), another user's")
        }
        return try read(file, limit: limit, name: path)
    }

    /// Whether the path itself is a regular file of no more bytes than that, which need not be readable.
    package static func isRegular(_ path: String, ofAtMost limit: Int) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size <= limit
    }
}

extension SystemCallError {
    /// What would be written is more than its reader takes.
    package static func tooLarge(_ path: String) -> SystemCallError {
        SystemCallError(call: "write(2)", errno: EFBIG, subject: path)
    }

    /// A file has more bytes than its reader takes.
    package var isTooLarge: Bool { errno == EFBIG }

    /// A path is a symbolic link where none is followed (open(2), O_NOFOLLOW).
    package var isLink: Bool { errno == ELOOP }

    /// A path leads to a directory, a FIFO or a device where a file was wanted.
    package var isNoRegularFile: Bool { errno == EINVAL }
}
