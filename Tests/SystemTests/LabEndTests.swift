import Glibc
import LinuxIO
import TestSupport
import Testing
import WANLab

extension DaemonInLab {
    @Suite("The end of a lab", .serialized)
    struct EndOfLab {
        /// Fifty labs, five at a time, each struck at a moment of its own: most while they are being built.
        @Test("comes at any moment of its life, by any signal, and leaves nothing")
        func anyMoment() throws {
            let seed = UInt64.random(in: .min ... .max)
            print("seed of the moments: \(seed)")
            var chance = SplitMix64(seed: seed)
            let host = try Host()
            for _ in 0..<10 {
                let victims = try (0..<5).map { _ in try Victim(&chance) }
                for victim in victims.sorted(by: { $0.moment < $1.moment }) { victim.strike() }
                for victim in victims where victim.isImpatient { victim.program.send(victim.signal) }
                for victim in victims {
                    let (status, expected) = (victim.program.end(), victim.endings)
                    #expect(expected.contains(status), "\(victim), seed \(seed)")
                }
                for victim in victims where victim.signal == SIGKILL {
                    // A program on its way to exec(2) has the lab's lock a moment longer.
                    #expect(try comes(within: 5) { try !StaleLabs.living().contains(victim.id) }, "\(victim)")
                }
                try StaleLabs.sweep()
                #expect(throws: Never.self, "\(victims), seed \(seed)") {
                    try Host.findsNothing(of: victims.map(\.id))
                }
            }
            #expect(try Host() == host)
        }

        @Test("comes too where it was to go on in the background, and was not there yet")
        func calledOff() throws {
            let seed = UInt64.random(in: .min ... .max)
            print("seed of the moments: \(seed)")
            var chance = SplitMix64(seed: seed)
            for _ in 0..<5 {
                let id = "b\(UInt32.random(in: .min ... .max))"
                let moment = Clock.boottime() + Int64(chance.share() * 1e9)
                let program = try LabProgram(["up", "--detach", "--perfect", "--id", id])
                while Clock.boottime() < moment { poll(nil, 0, 1) }
                program.interrupt()
                // It may have been there already: then it stands, as it was told to.
                if program.end() == 0 { try LabControlClient(id: id).down() }
                #expect(throws: Never.self, "seed \(seed)") { try Host.findsNothing(of: [id]) }
            }
        }

        @Test("does not wait for what is being started, and nothing starts after it")
        func whileProgramsStart() throws {
            for _ in 0..<5 {
                let lab = try Lab.build(.perfect)
                let id = lab.id
                let begun = try WakeUp()
                let starter = try WorkerThread {
                    // As a daemon makes the directory of its state.
                    let words = ["sh", "-c", "while mkdir -p \(lab.directory)/state; do :; done"]
                    while (try? lab.spawn(in: .router, words)) != nil { begun.ring() }
                }
                let hasBegun = begun.wait(until: Clock.boottime() + 10_000_000_000)
                #expect(hasBegun)
                #expect(throws: CommandError.self, "a lab that stands is found") { try Host.findsNothing(of: [id]) }
                try lab.tearDown()
                starter.join()
                #expect(throws: LabError.self) { try lab.run(in: .router, ["true"]) }
                #expect(throws: Never.self) { try Host.findsNothing(of: [id]) }
            }
        }

        @Test("comes with its last owner, also where faults came by a timetable")
        func lastOwner() throws {
            func use() throws -> String {
                let lab = try Lab.build(.perfect)
                try lab.blackHole(.ftth, for: .milliseconds(1))
                return lab.id
            }
            let id = try use()
            #expect(throws: Never.self) { try Host.findsNothing(of: [id]) }
        }

        @Test("of a program that outlived it is told by the next lab")
        func orphans() throws {
            // As of an ip(8) whose starter was killed before it could ask to die with it.
            let id = "o\(UInt32.random(in: .min ... .max))"
            let log = "/tmp/wanctl-lab-\(id).log"
            let orphan = try BackgroundProgram(
                ["env", "WANCTL_LAB=\(id)", "sh", "-c", "ip netns add wanctl-\(id)-inet; echo made; exec sleep 1000"],
                logPath: log)
            defer {
                orphan.stop()
                Files.remove(log)
            }
            let pid = orphan.pid
            #expect(try comes(within: 5) { try Files.text(log).contains("made") })
            try StaleLabs.sweep()
            #expect(comes(within: 5) { waitpid(pid, nil, WNOHANG) == pid })
            #expect(throws: Never.self) { try Host.findsNothing(of: [id]) }
        }
    }
}

/// A run of `wanctl-lab` that is to be ended.
private final class Victim: CustomStringConvertible {
    let id = "e\(UInt32.random(in: .min ... .max))"
    let words: [String]
    let signal: Int32
    /// Whether the signal comes once more.
    let isImpatient: Bool
    /// `Clock.boottime`
    let moment: Int64
    let program: LabProgram
    private let patience: Double

    init(_ chance: inout SplitMix64) throws {
        words = [["demo"], ["demo", "--two-boxes"], ["up"]].randomElement(using: &chance) ?? []
        signal = [SIGINT, SIGTERM, SIGHUP, SIGKILL].randomElement(using: &chance) ?? SIGINT
        isImpatient = Bool.random(using: &chance)
        let share = chance.share()
        patience = 3 * share * share
        moment = Clock.boottime() + Int64(patience * 1e9)
        program = try LabProgram(words + ["--id", id])
    }

    func strike() {
        while Clock.boottime() < moment { poll(nil, 0, 1) }
        program.send(signal)
    }

    /// What waitpid(2) may say: a signal that came before the program had a lab ends it as any other.
    var endings: Set<Int32> { [signal, words == ["up"] ? 0 : (128 + signal) << 8] }

    var description: String { "\(words.joined(separator: " ")) --id \(id), signal \(signal) after \(patience) s" }
}

/// What no lab may touch.
private struct Host: Equatable {
    let tables: String
    let rules: String
    let routes: String

    init() throws {
        tables = try Command.run(["nft", "list", "tables"])
        rules = try Command.run(["ip", "rule"])
        routes = try Command.run(["ip", "route", "show", "table", "all"])
    }

    /// Throws with what is left of these labs: directories, namespaces, programs.
    static func findsNothing(of labs: [String]) throws {
        let script = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        _ = try Command.run(["/\(script)/Tools/left-over"] + labs)
    }
}
