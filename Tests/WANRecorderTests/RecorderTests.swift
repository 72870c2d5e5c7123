import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANPolicy
import WANRecorder

/// The daemon's end and the real program at the other.
@Suite("wanctl-recorder")
struct RecorderTests {
    private let directory: TemporaryDirectory
    private var socket: String { "\(directory.path)/recorder.sock" }

    init() throws { directory = try TemporaryDirectory() }

    private func start() throws -> ChildProcess {
        let child = try ChildProcess(
            try Programs.path("wanctl-recorder"), ["--listen", socket, "--directory", "\(directory.path)/kept"])
        try waitUntil("it listens") { (try? UnixStream.isServed(socket)) == true }
        return child
    }

    /// One run of the daemon.
    private final class Run {
        let loop: EventLoop
        let alarms = Alarms(log: Log(hasPrefix: false, isVerbose: false))
        let recorder: Recorder

        init(_ directory: borrowing TemporaryDirectory, _ name: String, patience: Int32 = 5000) throws {
            loop = try EventLoop()
            recorder = Recorder(
                loop: loop, alarms: alarms, directory: "\(directory.path)/kept",
                besides: "\(directory.path)/wanctl.sock", run: name, patience: patience)
        }

        func note(_ text: String) {
            recorder.note(EventReport(at: .now(), kind: "up", uplink: "ftth", text: text))
        }

        /// Lets the loop turn until that is so.
        func turn(_ what: String, seconds: Int64 = 20, until claim: () -> Bool) throws {
            let end = Clock.boottime() + seconds * 1_000_000_000
            while !claim() {
                guard Clock.boottime() < end else { throw NotWithinLimit(what: what) }
                try loop.turn(timeout: 20)
            }
        }

        var texts: [String] { recorder.events.map(\.text) }
    }

    private struct NotWithinLimit: Error { var what: String }

    private func waitUntil(_ what: String, _ claim: () -> Bool) throws {
        let end = Clock.boottime() + 20_000_000_000
        while !claim() {
            guard Clock.boottime() < end else { throw NotWithinLimit(what: what) }
            usleep(2000)
        }
    }

    private func policy(_ text: String) -> KeptPolicy {
        KeptPolicy(
            node: "router", path: "/p", adoptedAt: Timestamp(unixMilliseconds: 0),
            files: [ReadFile(path: "/p", bytes: Array(text.utf8))])
    }

    @Test("what one run tells it the next one finds, though it was killed right after: events, and files whole")
    func nextRun() throws {
        let child = try start()
        do {
            let run = try Run(directory, "one")
            #expect(run.alarms.sentences == [] && run.texts == [])
            for number in 1...500 { run.note("\(number)") }
            // More than a socket takes at once.
            run.recorder.keep(policy(String(repeating: "é", count: 1 << 20)))
            try run.turn("policy and events are kept") { run.recorder.isComplete }
            run.note("the last")
            run.recorder.flush()
        }
        let next = try Run(directory, "two")
        #expect(next.texts == (1...500).map { "\($0)" } + ["the last"])
        #expect(KeptPolicy.read("\(directory.path)/kept") == policy(String(repeating: "é", count: 1 << 20)))
        #expect(next.alarms.sentences == [])
        child.signal(SIGTERM)
        #expect(try child.wait(until: Clock.boottime() + 5_000_000_000) == .code(0))
    }

    @Test("the recorder has its turn when all else that is ready was done (law 5)")
    func last() throws {
        let child = try start()
        let run = try Run(directory, "one")
        var unsent: [Bool] = []
        // Ready before the event was noted, as a probe's answer is that waits in a socket.
        run.loop.schedule(at: Clock.boottime()) {
            run.note("x")
            unsent.append(run.recorder.hasUnsent)
            run.loop.schedule(at: Clock.boottime()) { unsent.append(run.recorder.hasUnsent) }
        }
        try run.turn("both turns are over") { unsent.count == 2 }
        #expect(unsent == [true, false])
        child.signal(SIGKILL)
        _ = child.reap()
    }

    @Test("a policy that is too long to be kept is told of, and keeps nothing else from being kept")
    func longPolicy() throws {
        let child = try start()
        let run = try Run(directory, "one")
        run.recorder.keep(policy(String(repeating: "x", count: RecordFrame.longestBody)))
        run.note("after it")
        try run.turn("the rest is kept") { run.recorder.isComplete }
        #expect(run.alarms.sentences.first?.contains("the policy cannot be kept") == true, "\(run.alarms.sentences)")
        #expect(try Run(directory, "two").texts == ["after it"])
        run.recorder.keep(policy("version: 1"))
        try run.turn("a shorter one is kept") { run.recorder.isComplete && run.alarms.sentences == [] }
        child.signal(SIGKILL)
        _ = child.reap()
    }

    @Test("one that stands still keeps nobody waiting; what it missed for good is a gap")
    func stuck() throws {
        let child = try start()
        let run = try Run(directory, "one")
        run.note("first")
        try run.turn("the first is kept") { run.recorder.isComplete }
        child.signal(SIGSTOP)
        let start = Clock.boottime()
        for number in 1...5000 {
            run.note("\(number) " + String(repeating: "x", count: 500))
            run.recorder.flush()
        }
        #expect(Clock.boottime() - start < 20_000_000_000)
        #expect(!run.recorder.isComplete && run.recorder.events.count <= 1100)
        // A run that begins now does not wait for it longer than it was told.
        let other = try Run(directory, "two", patience: 100)
        #expect(other.alarms.sentences == [] && other.texts == [])
        try other.turn(
            "it is told of", until: { other.alarms.sentences.first?.contains("not answered for 5 s") == true })
        child.signal(SIGCONT)
        try run.turn("all that is left is kept") { run.recorder.isComplete }
        let events = try Run(directory, "three").recorder.events
        #expect(events.last?.text.hasPrefix("5000 ") == true)
        let gap = events.first { $0.kind == "gap" }
        #expect(gap?.text.hasSuffix(" events are missing here, the recorder was behind") == true)
        child.signal(SIGKILL)
        _ = child.reap()
    }

    @Test("one that is not there is said, and that it is; what came meanwhile is kept once it is")
    func absent() throws {
        let run = try Run(directory, "one")
        #expect(run.alarms.sentences.first?.contains("nobody serves \(socket)") == true)
        run.note("early")
        let child = try start()
        try run.turn("it is found") { run.alarms.sentences == [] }
        try run.turn("it has all") { run.recorder.isComplete }
        #expect(try Run(directory, "two").texts == ["early"])
        // One that is started anew, as for another version, is no event.
        child.signal(SIGKILL)
        _ = child.reap()
        let fresh = try start()
        run.note("late")
        try run.turn("the new one has it") { run.recorder.isComplete }
        #expect(run.alarms.sentences == [])
        #expect(try Run(directory, "three").texts == ["early", "late"])
        fresh.signal(SIGKILL)
        _ = fresh.reap()
    }

    @Test(
        "a full disk is said, costs what is new and nothing of the old, and is over when there is room",
        .enabled(if: geteuid() == 0, "only root mounts"))
    func full() throws {
        let kept = "\(directory.path)/kept"
        try Files.makeDirectory(kept, mode: 0o755)
        let script = """
            mount -t tmpfs -o size=400k none "$1"
            exec 3<&0  # what is in the background has no standard input
            while read -r size; do mount -o "remount,size=$size" "$1"; done <&3 &
            exec "$2" --listen "$3" --directory "$1"
            """
        let pair = try SocketPair()
        let child = try ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "/bin/sh", "-c", script, "sh", kept, try Programs.path("wanctl-recorder"), socket],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"], input: .descriptor(pair.theirs.raw))
        let ours = pair.keepOurs()
        try waitUntil("it listens") { (try? UnixStream.isServed(socket)) == true }
        let run = try Run(directory, "one")
        var number = 0
        while run.alarms.sentences == [] {
            number += 1
            run.note("\(number) " + String(repeating: "x", count: 900))
            try run.turn("it is kept or refused") { run.recorder.isComplete || run.alarms.sentences != [] }
        }
        #expect(number > 10)
        #expect(run.alarms.sentences == ["the history cannot be written: \(kept)/history.db: database or disk is full"])
        let old = try Run(directory, "two").texts
        #expect(old.count >= number - 1 && old.first?.hasPrefix("1 ") == true)
        _ = try UnixStream.send(Array("4m\n".utf8)[...], to: ours)
        try run.turn("there is room again") { run.alarms.sentences == [] && run.recorder.isComplete }
        #expect(try Run(directory, "three").texts.count == number)
        child.signal(SIGKILL)
        _ = child.reap()
    }

    @Test(
        "what is kept outlives a loss of power: it is in a copy of the disk as that is at this moment",
        .enabled(if: geteuid() == 0 && Files.exists("/dev/loop-control"), "only root mounts, and needs a loop device"))
    func power() throws {
        let kept = "\(directory.path)/kept"
        let (disk, copy) = ("\(directory.path)/disk", "\(directory.path)/copy")
        try Files.makeDirectory(kept, mode: 0o755)
        try Files.replace(disk, with: [])
        try #require(truncate(disk, 32 << 20) == 0)
        try Programs.run("mkfs.ext4", ["-q", disk])
        // Nothing is written back by itself meanwhile.
        let mount = #"mount -o loop,commit=600 "$1" "$2""#
        let child = try ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "/bin/sh", "-c", mount + #" && exec "$3" --listen "$4" --directory "$2""#, "sh", disk, kept]
                + [try Programs.path("wanctl-recorder"), socket],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        try waitUntil("it listens") { (try? UnixStream.isServed(socket)) == true }
        let run = try Run(directory, "one")
        for number in 1...50 { run.note("\(number)") }
        run.recorder.keep(policy("version: 1"))
        try run.turn("all is kept") { run.recorder.isComplete }
        try Programs.run("cp", [disk, copy])
        child.signal(SIGKILL)
        _ = child.reap()
        let look = try ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "/bin/sh", "-c", mount + #" && cp "$2"/[hp]* "$3""#, "sh", copy, kept, directory.path],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        #expect(try look.wait(until: Clock.boottime() + 10_000_000_000) == .code(0))
        #expect(KeptPolicy.read(directory.path) == policy("version: 1"))
        let events = try History(directory: directory.path, say: { Issue.record("\($0)") }).last(100, butOf: "")
        #expect(events.count == 50)
    }
}
