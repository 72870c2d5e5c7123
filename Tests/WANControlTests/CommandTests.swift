import JSONText
import LinuxIO
import Testing
import WANControl

/// The real `wanctl` against a real socket; behind it, a stand-in for the engine.
@Suite("the command", .serialized)
struct CommandTests {
    /// A world whose daemon knows ftth, jcom and soracom.
    private func world(_ access: ControlAccess = ControlAccess(daemonUser: 0, group: nil), mode: UInt32 = 0o660) throws
        -> ControlWorld
    {
        let world = try ControlWorld()
        try world.serve(access: access, mode: mode)
        world.handler = { request, _, reply in
            switch request {
            case .status: reply.send(Example.healthy.json)
            case .why: reply.send(Example.why.json)
            case .rules: reply.send(Example.rules.json)
            case .history: reply.send(HistoryReport(events: Example.events).json)
            case .failover(let uplink, let span, let force, _):
                guard uplink == "jcom" || force else {
                    return reply.fail(.refused, "\(uplink) is down: 0 of 3 targets answered; --force moves anyway")
                }
                let until = span.map { " for \($0.spokenText)" } ?? ""
                reply.send(ActionReport(done: "Traffic is on \(uplink)\(until).", warnings: ["jcom is slow"]).json)
            case .reload:
                return reply.fail(
                    ControlRefusal(.policy, "the policy has 1 fault", details: ["policy.yaml:3:5: unknown key \"x\""]))
            case .drain:
                reply.send(DrainReport(uplink: "ftth", flows: 3, left: .seconds(300), isDone: false).json)
                reply.send(DrainReport(uplink: "ftth", flows: 0, left: .seconds(290), isDone: true).json)
            case .probe:
                reply.send(ProbeReport(uplink: "ftth", target: "8.8.8.8", rttMilliseconds: 5.1).json)
                return reply.fail(.refused, "ftth has gone")
            case .speed: return reply.fail(.tryAgain, "SORACOM is being asked already")
            case .watch: for event in Example.events { reply.send(event.json) }
            case .auto, .enable, .disable: reply.send(ActionReport(done: "\(request.verb.rawValue) done.").json)
            }
            reply.finish()
        }
        return world
    }

    private func run(
        _ arguments: [String], in world: ControlWorld, environment: [String] = [], terminal: Int? = nil
    ) throws -> ProgramRun {
        try ProgramRun.wanctl(
            arguments, in: world, environment: ["WANCTL_SOCKET=\(world.path)"] + environment, terminal: terminal)
    }

    @Test("status prints the table and exits 0")
    func status() throws {
        let run = try run(["status"], in: try world())
        #expect(run.exitCode == 0)
        #expect(run.error.isEmpty)
        #expect(run.output.hasPrefix("router: all well, traffic on ftth.\n\nUPLINK   INTERFACE  STATE"))
        #expect(!run.output.contains("\u{1b}"))
    }

    @Test("status --json prints the report")
    func statusJSON() throws {
        let run = try run(["status", "--json"], in: try world())
        #expect(try StatusReport(json: JSONValue(parsing: run.output)) == Example.healthy)
        #expect(run.exitCode == 0)
    }

    @Test("on a terminal there is colour, and lines keep to its width; NO_COLOR takes the colour away")
    func terminal() throws {
        let coloured = try run(["status"], in: try world(), terminal: 60)
        #expect(coloured.output.contains("\u{1b}[32mup\u{1b}[0m"))
        let plain = try run(["status"], in: try world(), environment: ["NO_COLOR=1"], terminal: 60)
        #expect(!plain.output.contains("\u{1b}"))
        for line in plain.output.split(separator: "\n") { #expect(line.count <= 60) }
        let dumb = try run(["status"], in: try world(), environment: ["TERM=dumb"], terminal: 60)
        #expect(!dumb.output.contains("\u{1b}"))
    }

    @Test("status --watch prints a block for each change, and draws over the old one on a terminal")
    func statusWatch() throws {
        let world = try world()
        world.handler = { _, _, reply in
            reply.send(Example.healthy.json)
            reply.send(Example.failedOver.json)
            reply.finish()
        }
        let piped = try run(["status", "--watch"], in: world)
        #expect(piped.exitCode == 0)
        #expect(piped.output.contains("all well, traffic on ftth.") && piped.output.contains("ftth is down"))
        #expect(!piped.output.contains("\u{1b}"))
        let drawn = try run(["status", "--watch"], in: world, terminal: 80)
        #expect(drawn.output.hasPrefix("\u{1b}[H"))
        #expect(drawn.output.hasSuffix("\u{1b}[J"))
        let lines = try run(["status", "--watch", "--json"], in: world).output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(try StatusReport(json: JSONValue(parsing: String(lines[1]))) == Example.failedOver)
    }

    @Test("an action prints its sentence and its warnings")
    func failover() throws {
        let world = try world()
        let done = try run(["failover", "jcom", "--for", "1h30m"], in: world)
        #expect(done.output == "Traffic is on jcom for 1h 30m.\nWarning: jcom is slow\n")
        #expect(done.exitCode == 0)
        let refused = try run(["failover", "ftth"], in: world)
        #expect(refused.exitCode == 1)
        #expect(refused.error == "wanctl: ftth is down: 0 of 3 targets answered; --force moves anyway\n")
        #expect(refused.output.isEmpty)
        #expect(try run(["failover", "ftth", "--force"], in: world).exitCode == 0)
    }

    @Test(
        "every verb reaches the daemon as the request it means",
        arguments: [
            (["auto"], .auto), (["enable", "jcom"], .enable(uplink: "jcom")),
            (["disable", "jcom"], .disable(uplink: "jcom")), (["drain", "jcom"], .drain(uplink: "jcom")),
            (["reload"], .reload), (["probe"], .probe(uplink: nil)), (["probe", "jcom"], .probe(uplink: "jcom")),
            (["speed", "soracom", "s1.fast"], .speed(uplink: "soracom", speedClass: "s1.fast")),
            (["speed", "soracom", "auto"], .speed(uplink: "soracom", speedClass: nil)),
            (["speed", "soracom"], .speed(uplink: "soracom", speedClass: nil)), (["watch"], .watch), (["why"], .why),
            (["history", "--count", "5"], .history(count: 5)), (["history"], .history(count: nil)),
            (["status"], .status()), (["status", "--watch"], .status(watch: true)),
            (
                ["failover", "a", "--for", "2h", "--force", "--strict"],
                .failover(uplink: "a", span: .seconds(7200), force: true, strict: true)
            ),
        ] as [([String], ControlRequest)])
    func verbs(arguments: [String], request: ControlRequest) throws {
        let world = try ControlWorld()
        try world.serve()
        var seen: [ControlRequest] = []
        world.handler = { request, _, reply in
            seen.append(request)
            reply.fail(.refused, "that is all")
        }
        #expect(try run(arguments, in: world).exitCode == 1)
        #expect(seen == [request])
    }

    @Test("a stream is printed line by line; one that is refused in its middle says why")
    func streams() throws {
        let world = try world()
        let drain = try run(["drain", "ftth"], in: world)
        #expect(drain.output == "ftth: 3 flows left, at most 5m more\nftth is empty.\n")
        #expect(drain.exitCode == 0)
        let probe = try run(["probe"], in: world)
        #expect(probe.output == "ftth  8.8.8.8  answered in 5.1 ms\n")
        #expect(probe.error == "wanctl: ftth has gone\n")
        #expect(probe.exitCode == 1)
        let events = try run(["watch", "--json"], in: world).output.split(separator: "\n")
        #expect(try events.map { try EventReport(json: JSONValue(parsing: String($0))) } == Example.events)
        #expect(try run(["watch"], in: world).output == run(["history"], in: world).output)
        #expect(try run(["why"], in: world).output.hasPrefix("Traffic is on soracom: the first usable uplink"))
    }

    @Test("a stream goes on until somebody ends it")
    func endless() throws {
        let world = try world()
        var left = false
        var stream: ControlReply?
        world.handler = { _, _, reply in
            stream = reply
            reply.onClose = { left = true }
            reply.send(Example.events[0].json)
        }
        let run = try ProgramRun.wanctl(["watch", "--socket", world.path], in: world) { $0.contains("unanswered") }
        #expect(run.exitCode == -15)
        try world.wait("the daemon to notice") { left }
        #expect(stream?.isOpen == false)
    }

    @Test("faults of a policy are listed, exit 65; try again is 75")
    func codes() throws {
        let world = try world()
        let reload = try run(["reload"], in: world)
        #expect(reload.exitCode == 65)
        #expect(reload.error == "wanctl: the policy has 1 fault\n  policy.yaml:3:5: unknown key \"x\"\n")
        #expect(try run(["speed", "soracom", "s1.fast"], in: world).exitCode == 75)
    }

    @Test("without a daemon: 69, where it was looked for and what to do")
    func noDaemon() throws {
        let world = try ControlWorld()
        let missing = try run(["status"], in: world)
        #expect(missing.exitCode == 69)
        #expect(
            missing.error
                == "wanctl: no daemon answers at \(world.path); is wanctld running? Try: systemctl status wanctld\n")
        do { _ = try UnixStream.listen(at: world.path, backlog: 1) }
        #expect(try run(["status"], in: world).exitCode == 69)
    }

    @Test("--socket works before and after the verb, and wins over the environment")
    func socketOption() throws {
        let world = try world()
        let wrong = ["WANCTL_SOCKET=/nonexistent/wanctl.sock"]
        #expect(try ProgramRun.wanctl(["status", "--socket", world.path], in: world, environment: wrong).exitCode == 0)
        #expect(try ProgramRun.wanctl(["--socket", world.path, "status"], in: world, environment: wrong).exitCode == 0)
        #expect(try ProgramRun.wanctl(["status"], in: world, environment: wrong).exitCode == 69)
    }

    @Test(
        "wrong usage is 64, and no daemon is asked",
        arguments: [
            ["failover"], ["failover", "a", "b"], ["failover", "a", "--for", "soon"], ["failover", "a", "--for", "0s"],
            ["failover", ""], ["frobnicate"], ["history", "--count", "0"], ["history", "--count", "many"],
            ["status", "--colour"], ["speed"], ["speed", "soracom", "fast"], ["drain"], ["apply"],
            ["status", "--socket", ""],
        ])
    func usage(arguments: [String]) throws {
        let run = try run(arguments, in: try ControlWorld())
        #expect(run.exitCode == 64)
        #expect(run.error.contains("Error:"))
    }

    @Test("a stranger may look, and is refused with 77 when he acts; one who may not even connect gets 77 too")
    func strangers() throws {
        guard Files.exists("/usr/bin/setpriv") else { return }
        let open = try world(ControlAccess(daemonUser: 0, group: 4242), mode: 0o666)
        try Files.openToAll(open.directory)
        let variables = ["WANCTL_SOCKET=\(open.path)"]
        func stranger(_ arguments: [String]) throws -> ProgramRun {
            try ProgramRun.wanctl(arguments, in: open, environment: variables, as: 65534)
        }
        #expect(try stranger(["status"]).exitCode == 0)
        let refused = try stranger(["auto"])
        #expect(refused.exitCode == 77)
        #expect(refused.error.hasPrefix("wanctl: only root and the group wanctl may do this (auto); you are uid 65534"))
        try SocketFile.open(open.path, to: nil, mode: 0o660)
        let shut = try stranger(["status"])
        #expect(shut.exitCode == 77)
        #expect(shut.error.contains("its socket is for root and the group wanctl"))
    }

    @Test("a daemon that hangs up in the middle, or is none, is 75")
    func brokenDaemon() throws {
        let world = try world()
        world.handler = { _, _, reply in
            reply.send(Example.events[0].json)
            world.server?.stop()
        }
        let run = try run(["watch"], in: world)
        #expect(run.exitCode == 75)
        #expect(run.error.contains("hung up before its answer was complete"))
    }

    @Test("an answer this version cannot read is said to be one; --json still shows it")
    func unknownAnswer() throws {
        let world = try world()
        world.handler = { _, _, reply in reply.finish(["weather": "fine"]) }
        let text = try run(["status"], in: world)
        #expect(text.exitCode == 1)
        #expect(text.error.contains("status.version is missing"))
        let json = try run(["status", "--json"], in: world)
        #expect(json.output == "{\n  \"weather\": \"fine\"\n}\n")
    }

    @Test("the rules: where each leads, what it took, and what becomes of the rest")
    func rules() throws {
        let world = try world()
        let text = try run(["status", "--rules"], in: world)
        #expect(text.exitCode == 0)
        #expect(
            text.output == """
                RULE                 NOW ON          FLOWS  ORDER               OTHERWISE  MATCH
                backup never on LTE  ftth               12  ftth, jcom          reject     protocol tcp, port 873
                cameras              dropped             0  soracom             drop       source 192.168.0.64/26
                calls                ftth (default)      –  {ftth: 3, jcom: 1}  default    any

                Traffic without a rule is on ftth.

                """, "\(text.output)")
        let json = try run(["status", "--rules", "--json"], in: world)
        #expect(try RulesReport(json: JSONValue(parsing: Array(json.output.utf8))) == Example.rules)
        #expect(try run(["status", "--rules", "--watch"], in: world).exitCode == 64)
    }

    @Test("every command has help with an example, and only commands that work are listed")
    func help() throws {
        let world = try ControlWorld()
        let main = try run(["--help"], in: world)
        #expect(main.exitCode == 0)
        // The rules are asked for with `wanctl status --rules`.
        #expect(try run(["status", "--help"], in: world).output.contains("wanctl status --rules"))
        for verb in ControlRequest.Verb.allCases where verb != .rules {
            #expect(main.output.contains("\n  \(verb.rawValue) "), "\(verb.rawValue)")
            let help = try run([verb.rawValue, "--help"], in: world)
            #expect(help.output.contains("Example"), "\(verb.rawValue)")
            #expect(help.output.contains("  wanctl \(verb.rawValue)"), "\(verb.rawValue)")
            #expect(help.output.contains("--socket"), "\(verb.rawValue)")
        }
        for later in ["apply", "confirm", "rollback", "report", "replay", "plan", "\n  run "] {
            #expect(!main.output.contains(later), "\(later)")
        }
    }
}
