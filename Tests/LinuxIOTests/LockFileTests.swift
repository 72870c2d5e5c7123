import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("LockFile")
struct LockFileTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/lock" }

    init() throws { directory = try TemporaryDirectory() }

    /// As another process has it: a lock of the open file and not of this process (fcntl(2), "Open file description locks").
    ///
    /// It is given back, and not only closed: a child that another test forks has the open file too, until it calls execve(2).
    private struct LockOfAnother: ~Copyable {
        private let file: OwnedDescriptor

        init(_ path: String, note: String = "") throws {
            let opened = OwnedDescriptor(
                taking: try checked("open(2)", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) })
            try Files.overwrite(opened, with: Array(note.utf8))
            _ = try checked("fcntl(2)", path) { Self.set(F_WRLCK, on: opened.raw) }
            file = opened
        }

        deinit { _ = Self.set(F_UNLCK, on: file.raw) }

        private static func set(_ type: Int32, on raw: Int32) -> Int32 {
            let setLock: Int32 = 37  // F_OFD_SETLK
            var lock = Glibc.flock(l_type: Int16(type), l_whence: 0, l_start: 0, l_len: 0, l_pid: 0)
            return fcntl(raw, setLock, &lock)
        }
    }

    private func mode(_ path: String) -> UInt32? { FileStamp(path)?.mode }

    @Test("it is for its owner alone, says what its holder says, and goes when it is told to")
    func note() throws {
        guard let lock = try LockFile.take(path, note: "a note that is long\n") else {
            Issue.record("nobody else holds it")
            return
        }
        #expect(mode(path) == 0o600)
        #expect(try Files.text(path) == "a note that is long")
        try lock.say("short\n")
        #expect(try Files.text(path) == "short")
        try lock.remove()
        #expect(!Files.exists(path))
    }

    @Test("one that another process holds is not had, and its note is read; afterwards it is")
    func held() throws {
        do {
            let other = try LockOfAnother(path, note: "at work\n")
            #expect(try isFree(path) == false)
            let holder = try LockFile.holder(of: path)
            #expect(holder?.note == "at work\n" && holder?.pid == nil)
            withExtendedLifetime(other) {}
        }
        #expect(try LockFile.holder(of: path) == nil)
        #expect(try isFree(path))
        #expect(try LockFile.holder(of: "\(directory.path)/nowhere/lock") == nil)
    }

    /// It is had, and let go.
    private func isFree(_ path: String) throws -> Bool {
        guard let lock = try LockFile.take(path, note: "") else { return false }
        withExtendedLifetime(lock) {}
        return true
    }

    @Test(
        "what is no file is replaced, and where a link leads nothing is touched",
        arguments: ["link", "fifo", "dead link"])
    func noFile(kind: String) throws {
        let other = "\(directory.path)/precious"
        try Files.replace(other, with: Array("precious".utf8), mode: 0o644)
        switch kind {
        case "fifo": #expect(mkfifo(path, 0o666) == 0)
        case "link": #expect(symlink(other, path) == 0)
        default: #expect(symlink("\(directory.path)/nothing", path) == 0)
        }
        #expect(try isFree(path))
        #expect(mode(path) == 0o600 && Files.isRegular(path, ofAtMost: 0))
        #expect(try Files.text(other) == "precious")
        #expect(!Files.exists(path + ".new") && !Files.exists("\(directory.path)/nothing"))
    }

    @Test("of a holder that can do nothing any more it is taken once, and the file of the next one is left alone")
    func replaced() throws {
        let dead = try LockOfAnother(path, note: "hangs")
        let holder = try #require(try LockFile.holder(of: path))
        guard let lock = try LockFile.take(path, from: holder, note: "next\n") else {
            Issue.record("it was not taken")
            return
        }
        #expect(try Files.text(path) == "next")
        let isTaken = try LockFile.take(path, from: holder, note: "too late\n") != nil
        #expect(!isTaken)
        #expect(!Files.exists(path + ".new"))
        withExtendedLifetime(dead) {}
        try lock.remove()
        #expect(!Files.exists(path))
    }

    @Test("who ends late leaves the file of the next one alone")
    func late() throws {
        guard let lock = try LockFile.take(path, note: "") else { return }
        Files.remove(path)
        try Files.replace(path, with: Array("next".utf8))
        try lock.remove()
        #expect(try Files.text(path) == "next")
    }

    @Test("each network namespace has its own", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
    func namespaces() throws {
        let here = try LockFile.path()
        #expect(here.hasPrefix("\(LockFile.runtimeDirectory)/netns-") && here.hasSuffix(".lock"))
        #expect(try LockFile.path() == here)
        let there = try TestNamespace.make().inside { try LockFile.path() }
        #expect(there != here)
        #expect(try LockFile.path(ofNamespace: "/proc/self/ns/net") == here)
    }

    @Test("a process is known until it ends, and can be ended")
    func process() throws {
        let child = try ChildProcess("/bin/sleep", ["60"])
        guard let process = try RunningProcess(child.pid) else {
            Issue.record("it runs")
            return
        }
        let before = (process.name, process.hasEnded(within: 0))
        #expect(before == ("sleep", false))
        try process.kill()
        let after = (process.hasEnded(within: 5000), process.name)
        #expect(after == (true, nil))
        let exit = child.reap()
        #expect(exit == "signal 9")
        let isGone = try RunningProcess(child.pid) == nil
        #expect(isGone)
    }
}
