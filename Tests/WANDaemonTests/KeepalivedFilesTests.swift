import Glibc
import LinuxIO
import TestSupport
import Testing
import WANDaemon
import WANModel

@Suite("the two files that tie the daemon to keepalived")
struct KeepalivedFilesTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test("health is written once for each change, and again where somebody else changed it")
    func health() throws {
        let file = HealthFile(directory.path + "/run/health")
        #expect(try file.write(3))
        #expect(try Files.text(file.path) == "3")
        #expect(try !file.write(3))
        #expect(try file.write(NodeHealth.yield))
        #expect(try Files.text(file.path) == "-254")
        try Files.write("0\n", to: file.path)
        #expect(try file.write(NodeHealth.yield))
        Files.remove(file.path)
        #expect(try file.write(NodeHealth.yield))
        #expect(!Files.exists(file.path + ".new"))
    }

    @Test(
        "with /run full, health is written where it stands, and the room that comes back is used",
        .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)))
    func full() throws {
        let run = directory.path + "/run"
        try Files.makeDirectory(run, mode: 0o755)
        _ = try Command.run(["mount", "-t", "tmpfs", "-o", "size=32k,nr_inodes=4", "wanctl-test", run])
        defer { _ = try? Command.run(["umount", run]) }
        let file = HealthFile(run + "/health")
        try file.write(NodeHealth.yield)
        for name in ["a", "b"] { try Files.replace("\(run)/\(name)", with: []) }
        #expect(throws: SystemCallError.self) { try Files.replace("\(run)/c", with: []) }
        #expect(try file.write(0))
        #expect(try file.found == 0 && Files.text(file.path).hasPrefix("0\n"))
        #expect(try !file.write(0))
        #expect(try file.write(NodeHealth.yield))
        #expect(try Files.text(file.path) == "\(NodeHealth.yield)")
        try file.write(3)
        Files.remove(run + "/a")
        #expect(try file.write(2))
        #expect(try Files.text(file.path) == "2", "as ever")
        #expect(!Files.exists(file.path + ".new"))
    }

    @Test("notices are read, what is none is told and the rest goes on")
    func notices() throws {
        let path = directory.path + "/run/vrrp.fifo"
        var fifo = try VRRPFifo(path)
        let isReady = fifo.wasMade && fifo.isIntact
        #expect(isReady)
        try Files.write("INSTANCE \"VI_1\" BACKUP 100\nhello\nINSTANCE \"VI_1\" MASTER 253\n", to: path)
        let found = try fifo.notices()
        #expect(found.count == 3)
        #expect(try found[0].get().event == .backup)
        #expect(throws: VRRPNoticeError.self) { try found[1].get() }
        #expect(try found[2].get() == VRRPNotice(subject: .instance, name: "VI_1", event: .master, priority: 253))
        let more = try fifo.notices()
        #expect(more.isEmpty)
    }

    @Test("keepalived is there as long as it holds the FIFO open")
    func holder() throws {
        let path = directory.path + "/run/vrrp.fifo"
        var fifo = try VRRPFifo(path)
        _ = try fifo.notices()
        var found = fifo.hasWriter
        #expect(found == false)
        let reader = try LineFIFO(path)
        _ = try fifo.notices()
        found = fifo.hasWriter
        #expect(found == false, "who only reads is no keepalived")
        withExtendedLifetime(reader) {}
        try Files.write("INSTANCE \"VI_1\" STOP 253\n", to: path)
        #expect(try fifo.notices().count == 1)
        found = fifo.hasWriter
        #expect(found == false, "its last word is heard after it has gone")
    }

    // MARK: what is left behind

    private var socket: String { directory.path + "/wanctl.sock" }

    @Test("what was done to the box outlives the daemon, and is undone once")
    func undo() throws {
        let health = HealthFile(directory.path + "/health")
        try health.write(3)
        var undo = UndoRecord(besides: socket)
        try undo.note(trackFile: health.path, mustGive: false)
        try undo.note(silenced: ["wanctl-none0"])
        var later = UndoRecord(besides: socket)
        #expect(later.trackFile == health.path && later.silenced == ["wanctl-none0"])
        let done = later.undo()
        #expect(done.first == "health 0 for keepalived, in \(health.path)")
        #expect(health.found == NodeHealth.none)
        #expect(UndoRecord(besides: socket).silenced.isEmpty)
        #expect(later.undo() == [])
    }

    @Test(
        "a file that is damaged, or somebody's who means harm, is taken for what makes sense in it",
        arguments: [
            "", "{", "[]", "null", #"{"silenced": 1, "deaths": "x", "track-file": []}"#,
            #"{"silenced": ["../../../tmp/x", "", ".", "..", "sixteen-letters-"], "deaths": -1, "track-file": "health"}"#,
            // To Swift the second name has no slash in it, and to the kernel the others end at the NUL.
            #"{"silenced": ["lan\u0000x", "a/\u0338b"], "deaths": 0, "track-file": "/run/health\u0000x"}"#,
        ])
    func damagedLeavings(text: String) throws {
        try Files.replace(UndoRecord(besides: socket).path, with: Array(text.utf8))
        let found = UndoRecord(besides: socket)
        #expect(found.silenced.isEmpty && found.crashes == 0 && found.trackFile == nil)
    }

    @Test(
        "a track file that is no file of a health is refused, and nothing of it is touched",
        arguments: ["text", "long", "number", "link", "dead link", "directory", "fifo"])
    func foreignTrackFile(kind: String) throws {
        let (path, other) = (directory.path + "/track", directory.path + "/other")
        try Files.replace(other, with: Array("3\n".utf8))
        switch kind {
        case "text": try Files.replace(path, with: Array("root:x:0:0\n".utf8))
        case "long": try Files.replace(path, with: Array("0000000000000000003\n".utf8))
        case "number": try Files.replace(path, with: Array("4711\n".utf8))
        case "link": #expect(symlink(other, path) == 0)
        case "dead link": #expect(symlink(directory.path + "/nothing", path) == 0)
        case "directory": try Files.makeDirectory(path, mode: 0o755)
        default: #expect(mkfifo(path, 0o644) == 0)
        }
        let before = try Programs.listing(of: directory.path)
        try Files.replace(
            UndoRecord(besides: socket).path, with: Array(#"{"track-file": "\#(path)", "must-give": true}"#.utf8))
        var undo = UndoRecord(besides: socket)
        let done = undo.undo(pass: { _ in Issue.record("there is nothing to wait for") })
        #expect(done.count == 1 && done[0].hasPrefix("refused: \(path) is "), "\(done)")
        Files.remove(undo.path)
        #expect(try Programs.listing(of: directory.path) == before)
    }

    @Test("an empty track file and one of keepalived's own are written, and one that is missing is not made")
    func ownTrackFile() throws {
        let health = HealthFile(directory.path + "/health")
        var undo = UndoRecord(besides: socket)
        try undo.note(trackFile: health.path, mustGive: false)
        #expect(undo.undo() == [] && !Files.exists(health.path))
        for text in ["", "3", "-254\n"] {
            try Files.replace(health.path, with: Array(text.utf8))
            #expect(undo.undo().count == 1)
            #expect(health.found == NodeHealth.none)
        }
    }

    @Test("leavings that are a link, a FIFO or another user's count as none", arguments: ["link", "fifo", "another's"])
    func foreignLeavings(kind: String) throws {
        let (path, other) = (UndoRecord(besides: socket).path, directory.path + "/other")
        try Files.replace(other, with: Array(#"{"track-file": "/tmp/health"}"#.utf8))
        switch kind {
        case "link": #expect(symlink(other, path) == 0)
        case "fifo": #expect(mkfifo(path, 0o644) == 0)
        default:
            #expect(rename(other, path) == 0)
            #expect(UndoRecord(besides: socket).trackFile != nil)
            guard chown(path, 65534, 65534) == 0 else { return }  // needs root
        }
        #expect(UndoRecord(besides: socket).trackFile == nil)
    }

    @Test("where a lower health moves nothing, the address is given away, unless a daemon comes meanwhile")
    func gives() throws {
        let health = HealthFile(directory.path + "/health")
        var first = UndoRecord(besides: socket)
        try first.note(trackFile: health.path, mustGive: true)
        try health.write(3)
        var undo = UndoRecord(besides: socket)
        var passed: [Duration] = []
        var meanwhile: Int?
        func pass(_ span: Duration) throws(SystemCallError) {
            #expect(health.found == NodeHealth.yield)
            passed.append(span)
            if let meanwhile { try health.write(meanwhile) }
        }
        #expect(undo.undo(pass: pass).count == 1)
        #expect(health.found == NodeHealth.none && passed == [.seconds(1)])
        // One that was killed while it gave: nobody may stay in FAULT.
        try health.write(NodeHealth.yield)
        #expect(undo.undo(pass: pass).count == 1)
        #expect(health.found == NodeHealth.none && passed.count == 1)
        try health.write(3)
        meanwhile = 2
        #expect(undo.undo(pass: pass) == [])
        #expect(health.found == 2)
    }

    @Test("an end that the unit asked for changes nothing; one after which nobody comes gives the address away")
    func ends() throws {
        let health = HealthFile(directory.path + "/health")
        func end(_ result: String?, _ status: String?) throws -> (done: [String], health: Int?, crashes: Int) {
            var undo = UndoRecord(besides: socket)
            try undo.note(trackFile: health.path, mustGive: false)
            try health.write(3)
            let done = undo.daemonEnded(result: result, exitStatus: status)
            return (done, health.found, UndoRecord(besides: socket).crashes)
        }
        for _ in 0..<9 {
            let stopped = try end("success", "0")
            #expect(stopped.done == [] && stopped.health == 3 && stopped.crashes == 0)
        }
        for status in ["64", "65", "77"] { #expect(try end("exit-code", status).health == NodeHealth.none) }
        _ = try end("success", "0")
        for count in 1...4 {
            let died = try end("signal", "SEGV")
            #expect(died.done == [] && died.health == 3 && died.crashes == count)
        }
        let last = try end("watchdog", "ABRT")
        #expect(last.done.count == 1 && last.health == NodeHealth.held && UndoRecord(besides: socket).isUnreliable)
        #expect(try end(nil, nil).crashes == 0)
    }
}
