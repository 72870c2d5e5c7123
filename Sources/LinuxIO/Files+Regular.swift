internal import CLinux
internal import Glibc

extension Files {
    /// A whole regular file, refused past `limit` bytes (EFBIG); anything else is refused (EINVAL), for a FIFO or a device
    /// could hold its reader for ever.
    package static func readRegular(_ path: String, limit: Int) throws(SystemCallError) -> [UInt8] {
        // Opening a FIFO waits for its writer, unless it is told not to (fifo(7)).
        let file = OwnedDescriptor(
            taking: try checked("open(2)", path) { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) })
        var status = stat()
        let raw = file.raw
        _ = try checked("fstat(2)", path) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SystemCallError(call: "open(2)", errno: EINVAL, subject: path)
        }
        return try read(file, limit: limit, name: path)
    }
}

extension SystemCallError {
    /// What would be written is more than its reader takes.
    package static func tooLarge(_ path: String) -> SystemCallError {
        SystemCallError(call: "write(2)", errno: EFBIG, subject: path)
    }

    /// A file has more bytes than its reader takes.
    package var isTooLarge: Bool { errno == EFBIG }

    /// A path leads to a directory, a FIFO or a device where a file was wanted.
    package var isNoRegularFile: Bool { errno == EINVAL }
}
