import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("Files")
struct FilesTests {
    let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/file" }

    init() throws { directory = try TemporaryDirectory() }

    private func mode(_ path: String) -> UInt32? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    @Test("who has the old file open goes on reading it; who opens it next sees the new one, whole")
    func replace() throws {
        try Files.replace(path, with: Array("old".utf8), mode: 0o600)
        let old = OwnedDescriptor(taking: open(path, O_RDONLY | O_CLOEXEC))
        try Files.replace(path, with: Array("new and longer".utf8), mode: 0o600)
        #expect(try Files.text(path) == "new and longer")
        #expect(try Files.read(old, limit: 100, name: "old") == Array("old".utf8))
        #expect(mode(path) == 0o600)
        #expect(!Files.exists(path + ".new"))
    }

    @Test("a file that is replaced has the mode that was asked for, whatever the umask is")
    func mode() throws {
        let path = directory.path + "/mode"
        for mode: UInt32 in [0o600, 0o666] {
            try Files.replace(path, with: [1], mode: mode)
            #expect(FileTrust(path)?.mode == mode)
        }
    }

    @Test("replacing does not write through a link that somebody put in the way")
    func replaceLink() throws {
        let other = "\(directory.path)/precious"
        try Files.replace(other, with: Array("precious".utf8))
        symlink(other, path)
        try Files.replace(path, with: Array("new".utf8))
        #expect(try Files.text(path) == "new")
        #expect(try Files.text(other) == "precious")
        symlink(other, path + ".new")
        #expect(throws: SystemCallError(call: "open(2)", errno: ELOOP, subject: path + ".new")) {
            try Files.replace(path, with: [])
        }
        #expect(try Files.text(other) == "precious")
    }

    @Test("a directory that is not there is named by the refusal")
    func missingDirectory() {
        let path = "\(directory.path)/nowhere/file"
        #expect(throws: SystemCallError(call: "open(2)", errno: ENOENT, subject: path + ".new")) {
            try Files.replace(path, with: [])
        }
    }

    @Test("a file that is to outlive a loss of power is replaced in the same way")
    func durable() throws {
        try Files.replace(path, with: Array("one".utf8), mode: 0o640, isDurable: true)
        try Files.replace(path, with: Array("two".utf8), mode: 0o640, isDurable: true)
        #expect(try Files.text(path) == "two")
        #expect(mode(path) == 0o640 && !Files.exists(path + ".new"))
    }

    @Test("only a regular file is read as one: a FIFO without a writer keeps nobody waiting")
    func regular() throws {
        try Files.replace(path, with: Array("text".utf8))
        #expect(try Files.readRegular(path, limit: 4) == Array("text".utf8))
        let fifo = "\(directory.path)/fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
        for other in [fifo, directory.path, "/dev/zero"] {
            let refusal = #expect(throws: SystemCallError.self) { try Files.readRegular(other, limit: 4) }
            #expect(refusal?.isNoRegularFile == true)
        }
        #expect(#expect(throws: SystemCallError.self) { try Files.readRegular(path, limit: 3) }?.isTooLarge == true)
    }

    @Test("reading stops at the limit, and takes what just fits", arguments: [0, 1, 16383, 16384, 16385, 100_000])
    func limit(size: Int) throws {
        try Files.replace(path, with: [UInt8](repeating: 7, count: size))
        #expect(try Files.read(path, limit: size).count == size)
        guard size > 0 else { return }
        #expect(throws: SystemCallError(call: "read(2)", errno: EFBIG, subject: path)) {
            try Files.read(path, limit: size - 1)
        }
    }

    @Test("a file without an end is not read for ever")
    func endless() {
        #expect(throws: SystemCallError(call: "read(2)", errno: EFBIG, subject: "/dev/zero")) {
            try Files.read("/dev/zero", limit: 1 << 20)
        }
    }

    @Test(
        "text is without its last newline, and only that",
        arguments: [("a\n\n", "a\n"), ("a", "a"), ("\n", ""), ("", "")])
    func text(content: String, expected: String) throws {
        try Files.replace(path, with: Array(content.utf8))
        #expect(try Files.text(path) == expected)
    }

    @Test("writing as /proc/sys wants it makes no file and cuts none off")
    func write() throws {
        #expect(throws: SystemCallError(call: "open(2)", errno: ENOENT, subject: path)) {
            try Files.write("1\n", to: path)
        }
        try Files.replace(path, with: Array("abc".utf8))
        try Files.write("X", to: path)
        #expect(try Files.text(path) == "Xbc")
    }

    @Test("a directory is made with those above it, and one that is there is left as it is")
    func makeDirectory() throws {
        let deep = "\(directory.path)/a/b/c"
        try Files.makeDirectory(deep, mode: 0o700)
        #expect(mode(deep) == 0o700)
        try Files.makeDirectory(deep, mode: 0o755)
        #expect(mode(deep) == 0o700)
        try Files.replace(path, with: [])
        #expect(throws: SystemCallError.self) { try Files.makeDirectory(path + "/under-a-file", mode: 0o700) }
    }
}
