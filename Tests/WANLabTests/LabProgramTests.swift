import Glibc
import JSONText
import LinuxIO
import NetworkTypes
import Testing
import WANLab

extension LabTests {
    @Suite("The program wanctl-lab", .serialized)
    struct Program {
        private func name() -> String { "t\(UInt32.random(in: .min ... .max))" }

        @Test("keeps a lab that others can change, until it is told to go")
        func upAndDown() throws {
            let id = name()
            try LabInBackground.start(id, arguments: ["--perfect"])
            let client = try LabControlClient(id: id)
            _ = try client.ask(["fault", "ftth", "loss", "100%"])
            let ftth = try client.ask(["status"])["uplinks"]?.array?.first
            #expect(ftth?["up"] == ["loss 100.0 %"])
            #expect(throws: LabError.self) { try client.ask(["fault", "ftth", "explode"]) }
            #expect(throws: LabError.self) { try client.ask(["fault", "adsl", "clear"]) }
            #expect(throws: LabError.self) { try LabInBackground.start(id) }
            try client.down()
            for place in LabPlace.allCases { #expect(!Files.exists("/run/netns/wanctl-\(id)-\(place)")) }
        }

        @Test("killed, it leaves nothing once the next lab has been built", arguments: [SIGKILL, SIGTERM])
        func killed(signal: Int32) throws {
            let id = name()
            try LabInBackground.start(id, arguments: ["--perfect"])
            let namespace = "wanctl-\(id)-router"
            let log = "/run/wanctl-lab/\(id)/log/left"
            _ = try BackgroundProgram(
                ["ip", "netns", "exec", namespace, "sh", "-c", "echo $$; exec sleep 1000"], logPath: log)
            try eventually { try !Files.read(log).isEmpty }
            let left = try #require(try Int32(Files.text(log)))
            let pid = try #require(try LabControlClient(id: id).ask(["status"])["pid"]?.integer)

            kill(Int32(pid), signal)
            if signal == SIGKILL {
                try eventually { try !StaleLabs.living().contains(id) }
                #expect(Files.exists("/run/netns/\(namespace)"))
                let next = try Lab.build(.perfect)
                try next.tearDown()
            } else {
                try eventually { !Files.exists("/run/wanctl-lab/\(id)") }
            }
            for place in LabPlace.allCases { #expect(!Files.exists("/run/netns/wanctl-\(id)-\(place)")) }
            #expect(!Files.exists("/run/wanctl-lab/\(id)"))
            #expect(!Files.exists("/run/wanctl-lab/\(id).log"))
            // It was this process's child, so a zombie may be what is left of it.
            waitpid(left, nil, WNOHANG)
            let rest = Files.exists("/proc/\(left)/stat") ? try Files.text("/proc/\(left)/stat") : ""
            #expect(rest.isEmpty || rest.contains(") Z "), "\(rest)")
        }
    }
}
