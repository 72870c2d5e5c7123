import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("a FIFO that others write lines into")
struct LineFIFOTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/run/a.fifo" }

    init() throws { directory = try TemporaryDirectory() }

    /// Opens the FIFO as keepalived does: O_RDWR, non-blocking.
    private func writer(_ path: String) throws -> OwnedDescriptor {
        OwnedDescriptor(taking: try checked("open(2)", path) { open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) })
    }

    private func write(_ text: String, to writer: borrowing OwnedDescriptor) -> Int {
        let bytes = Array(text.utf8)
        return Glibc.write(writer.raw, bytes, bytes.count)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : 0
    }

    @Test("is made with its directory, for its owner alone, and adopted when it is there")
    func made() throws {
        let first = try LineFIFO(path)
        claim(first.wasMade)
        #expect(mode(path) & S_IFMT == S_IFIFO)
        #expect(mode(path) & 0o777 == 0o600)
        let second = try LineFIFO(path)
        claim(!second.wasMade)
        claim(first.isIntact && second.isIntact)
    }

    @Test("lines come whole and in order, over several writers that come and go")
    func lines() throws {
        var fifo = try LineFIFO(path)
        try expectLines(&fifo, [])
        do {
            let one = try writer(path)
            #expect(write("a 1\nb", to: one) == 5)
            try expectLines(&fifo, ["a 1"])
            #expect(write(" 2\n", to: one) == 3)
        }
        // The writer has gone: no end of file, and the next one is heard.
        try expectLines(&fifo, ["b 2"])
        try expectLines(&fifo, [])
        let two = try writer(path)
        #expect(write("\n\u{e9}\nc\n", to: two) == 6)
        try expectLines(&fifo, ["", "\u{e9}", "c"])
    }

    @Test("what was written while nobody read waits, as long as somebody holds it open")
    func waits() throws {
        let made = try LineFIFO(path)
        let keepalived = try writer(path)
        claim(made.isIntact)
        _ = consume made
        #expect(write("while it was away\n", to: keepalived) == 18)
        var again = try LineFIFO(path)
        claim(!again.wasMade)
        try expectLines(&again, ["while it was away"])
    }

    @Test("a full one blocks nobody and loses whole lines only; drained, it goes on")
    func full() throws {
        var fifo = try LineFIFO(path)
        let keepalived = try writer(path)
        var written = 0
        while write("INSTANCE \"VI_1\" MASTER \(written % 10)\n", to: keepalived) > 0 { written += 1 }
        #expect(errno == EAGAIN)
        #expect(written > 2000)
        var found: [String] = []
        while case let more = try fifo.lines(), !more.isEmpty { found += more }
        #expect(found.count == written)
        #expect(found.enumerated().allSatisfy { $0.element == "INSTANCE \"VI_1\" MASTER \($0.offset % 10)" })
        #expect(write("on\n", to: keepalived) == 3)
        try expectLines(&fifo, ["on"])
    }

    @Test("a line without end is skipped to its newline, and only that one", arguments: [4096, 4097, 5000, 20_000])
    func overlong(length: Int) throws {
        var fifo = try LineFIFO(path)
        let other = try writer(path)
        #expect(write("before\n" + String(repeating: "x", count: length), to: other) == length + 7)
        try expectLines(&fifo, ["before"])
        #expect(write("\nafter\n", to: other) == 7)
        let kept = length <= LineFIFO.longestLine
        let counts = try fifo.lines().map(\.count)
        #expect(counts == (kept ? [length, 5] : [5]))
    }

    @Test("knows that its file was deleted, or is another one now")
    func replaced() throws {
        let old = try LineFIFO(path)
        let orphaned = try writer(path)
        unlink(path)
        claim(!old.isIntact)
        var new = try LineFIFO(path)
        claim(new.wasMade)
        claim(!old.isIntact)
        claim(new.isIntact)
        // As keepalived until its reload.
        #expect(write("into the old one\n", to: orphaned) == 17)
        try expectLines(&new, [])
    }

    @Test("takes no file, directory or link for a FIFO, and leaves it where it is")
    func others() throws {
        let file = try directory.write("kept", to: "file", mode: 0o644)
        #expect(throws: SystemCallError.self) { _ = try LineFIFO(file) }
        #expect(try Files.text(file) == "kept")
        #expect(throws: SystemCallError.self) { _ = try LineFIFO(directory.path) }
        _ = try LineFIFO(path)
        let link = directory.path + "/link"
        #expect(symlink(path, link) == 0)
        #expect(throws: SystemCallError(call: "open(2)", errno: ELOOP, subject: link)) { _ = try LineFIFO(link) }
    }

    @Test("knows whether anybody writes, and wakes a loop once when the last one has gone")
    func writers() throws {
        var fifo = try LineFIFO(path)
        try expectLines(&fifo, [])
        claim(fifo.hasWriter == false)
        let loop = try EventLoop()
        var woken = 0
        let watch = try loop.watch(fifo.descriptor.raw, for: [.read, .edge]) { _ in woken += 1 }
        do {
            let one = try writer(path)
            try expectLines(&fifo, [])
            claim(fifo.hasWriter == true)
            #expect(write("last\n", to: one) == 5)
        }
        while woken == 0 { try loop.turn(timeout: 1000) }
        // All of it, before its end is believed.
        try expectLines(&fifo, ["last"])
        try expectLines(&fifo, [])
        // A program that another test starts in this moment has our descriptors until it is executed.
        let deadline = Clock.boottime() + 5_000_000_000
        while fifo.hasWriter != false, Clock.boottime() < deadline {
            try loop.turn(timeout: 100)
            try expectLines(&fifo, [])
        }
        claim(fifo.hasWriter == false)
        let before = woken
        for _ in 0..<5 { try loop.turn(timeout: 1) }
        #expect(woken <= before + 1, "a hang-up that stands is no busy loop")
        let two = try writer(path)
        #expect(write("again\n", to: two) == 6)
        let sofar = woken
        while woken == sofar { try loop.turn(timeout: 1000) }
        try expectLines(&fifo, ["again"])
        claim(fifo.hasWriter == true)
        loop.remove(watch)
    }

    @Test("wakes an event loop")
    func wakes() throws {
        let loop = try EventLoop()
        let fifo = try LineFIFO(path)
        let other = try writer(path)
        var ready = 0
        let watch = try loop.watch(fifo.descriptor.raw) { _ in
            ready += 1
            loop.stop()
        }
        #expect(write("x\n", to: other) == 2)
        loop.schedule(at: Clock.boottime() + 5_000_000_000) { loop.stop() }
        try loop.run()
        #expect(ready == 1)
        loop.remove(watch)
        withExtendedLifetime(fifo) {}
    }
}

/// `#expect` for what cannot be copied into it.
private func claim(_ isTrue: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isTrue, sourceLocation: sourceLocation)
}

private func expectLines(
    _ fifo: inout LineFIFO, _ wanted: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let found = try fifo.lines()
    #expect(found == wanted, sourceLocation: sourceLocation)
}
