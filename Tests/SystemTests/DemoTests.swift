import Glibc
import LinuxIO
import Testing
import WANLab

extension DaemonInLab {
    @Suite("The demonstration", .serialized)
    struct Demonstration {
        @Test(
            "taken down in the middle, it leaves nothing and says 130",
            arguments: [
                (["demo"], "ways out"), (["demo"], "is silent from now on"), (["demo", "--two-boxes"], "two routers"),
                (["demo", "--two-boxes"], "is silent from now on"),
            ])
        func interrupted(command: [String], words: String) throws {
            let id = "d\(UInt32.random(in: .min ... .max))"
            let program = try LabProgram(command + ["--id", id])
            try program.waitFor(words)
            #expect(Files.exists("/run/wanctl-lab/\(id)"))
            program.interrupt()
            #expect(program.end() == 130 << 8)
            #expect(!Files.exists("/run/wanctl-lab/\(id)"))
            for place in LabPlace.allCases { #expect(!Files.exists("/run/netns/\(place.namespace(of: id))")) }
            for place in SitePlace.allCases { #expect(!Files.exists("/run/netns/\(place.namespace(of: id))")) }
            #expect(try !program.said().contains("did not happen"))
        }

        @Test("with two boxes, the story comes to its good end")
        func twoBoxes() throws {
            let program = try LabProgram(["demo", "--two-boxes"])
            let status = program.end()
            let said = try program.said()
            #expect(status == 0, "\(said)")
            #expect(said.contains("All of it happened"), "\(said)")
            #expect(said.contains("main (backup)") && said.contains("sub (master)"), "both were shown: \(said)")
            #expect(said.contains("SORACOM's own record of classes: s1.minimum, s1.fast, s1.minimum"), "\(said)")
        }
    }

    @Suite("The bench of two boxes", .serialized)
    struct SiteBenchmark {
        /// The bars are not this test's matter: it shares the machine with others.
        @Test("measures a fault and the way back, and holds both against their bars")
        func gone() throws {
            let program = try LabProgram(["bench", "--two-boxes", "gone", "--runs", "1"])
            let status = program.end()
            let said = try program.said()
            #expect(status == (said.contains("MISSED") ? 1 << 8 : 0), "\(said)")
            let rows = said.split(separator: "\n").filter { $0.contains("   n 1  min") }
            #expect(rows.count == 4 && rows.allSatisfy { $0.contains("bar max ≤") }, "\(said)")
            let outage = rows.first.flatMap { row in
                row.split(separator: " ").drop { $0 != "median" }.dropFirst().first.flatMap { Double($0) }
            }
            #expect((outage ?? 0) > 20, "no box takes over in less: \(said)")
        }

        @Test("knows which parts belong to one router and which to two")
        func parts() throws {
            for words in [["bench", "classic"], ["bench", "--two-boxes", "carrier"]] {
                let program = try LabProgram(words)
                #expect(program.end() == 64 << 8)
                #expect(try program.said().contains("There is nothing called"))
            }
        }
    }
}
