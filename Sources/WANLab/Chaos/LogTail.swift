internal import Glibc
internal import LinuxIO

/// What a program has added to its log since the last look.
struct LogTail {
    private let path: String
    private var offset: off_t

    /// From now on.
    init(of path: String) {
        self.path = path
        var information = stat()
        offset = stat(path, &information) == 0 ? information.st_size : 0
    }

    /// The new lines; none where the log is gone.
    mutating func next() -> [String] {
        guard let file = try? openFile(path, O_RDONLY), lseek(file.raw, offset, SEEK_SET) == offset,
            let bytes = try? Files.read(file, limit: 64 << 20, name: path)
        else { return [] }
        offset += off_t(bytes.count)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
