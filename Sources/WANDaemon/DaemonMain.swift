internal import Glibc
internal import LinuxIO
internal import WANControl
internal import WANModel

/// `wanctld` from its arguments to its exit code.
package func runDaemon(arguments: [String]) -> Int32 {
    SignalReader.ignoreFailedWrites()
    let options: DaemonOptions
    do throws(DaemonOptions.UsageError) {
        options = try DaemonOptions(arguments: arguments)
    } catch {
        say("wanctld: \(error.text)\n\n\(DaemonOptions.usage)")
        return 64
    }
    switch options.action {
    case .help:
        write(DaemonOptions.usage, to: 1)
        return 0
    case .version:
        write("wanctld \(wanctlVersion)\n", to: 1)
        return 0
    case .cleanUp: return cleanUp(options)
    case .ended: return ended(options)
    case .handOver: return handOver(options)
    case .check: return check(options)
    case .run: return run(options)
    }
}

private func run(_ options: DaemonOptions) -> Int32 {
    do {
        let start = try StartPolicy.find(options)
        if let slash = options.socket.lastIndex(of: "/"), slash > options.socket.startIndex {
            try Files.makeDirectory(String(options.socket[..<slash]), mode: 0o755)
        }
        guard let reign = try Reign.begin(socket: options.socket, say: warn) else {
            say("wanctld: another daemon rules this network namespace; stop it first\n")
            return 1
        }
        defer { reign.end() }
        let daemon = try Daemon(options: options, start, environment: environmentVariables())
        try daemon.run(reign)
        return 0
    } catch let refusal as ControlRefusal {
        say("wanctld: \(refusal.reason)\n" + refusal.details.map { $0 + "\n" }.joined())
        return 65
    } catch {
        say("wanctld: \(error)\n")
        return advice(for: error)
    }
}

/// 77 where rights are missing, with what to do; 1 otherwise. The unit gives up on 77 (RestartPreventExitStatus=), so a file or a
/// directory that may not be used (EACCES) is none of it where the capabilities are there: somebody may mend it.
private func advice(for error: any Error) -> Int32 {
    let isDenied = "\(error)".contains("Permission denied") && !Privileges.mayRuleNetwork
    guard isDenied || "\(error)".contains("Operation not permitted") else { return 1 }
    say("wanctld needs CAP_NET_ADMIN and CAP_NET_RAW: start it as root or by its systemd unit\n")
    return 77
}

private func check(_ options: DaemonOptions) -> Int32 {
    do throws(ControlRefusal) {
        let loaded = try LoadedPolicy.load(options.policy, node: options.nodeName, isTrial: true)
        for warning in loaded.warnings + missingCredentials(loaded.policy) { say("warning: \(warning)\n") }
        write("\(options.policy): in order, \(loaded.policy.uplinks.count) uplinks\n", to: 1)
        if options.triesTable {
            try TableTrial.run(loaded)
            write("\(options.policy): libnftables and this kernel take its nft table\n", to: 1)
        }
        return 0
    } catch {
        say("\(error.reason)\n" + error.details.map { $0 + "\n" }.joined())
        return Int32(error.code.rawValue)
    }
}

/// What the courier's unit would not find: the daemon starts without it, and cannot ask the SORACOM API. Only root can look.
private func missingCredentials(_ policy: Policy) -> [String] {
    guard Privileges.isRoot else { return [] }
    let places = ["/etc/credstore", "/etc/credstore.encrypted", "/run/credstore", "/run/credstore.encrypted"]
    return policy.uplinks.compactMap { uplink in
        guard let name = uplink.soracom?.credentials, !places.contains(where: { Files.exists("\($0)/\(name)") }) else {
            return nil
        }
        return "/etc/credstore/\(name), the credentials of uplink \(uplink.name), is not there"
    }
}

private func ended(_ options: DaemonOptions) -> Int32 {
    do {
        let ruler = try Ruler.find()
        // One that somebody started by hand beside the unit rules the box: what dies of that proves nothing.
        if ruler?.isAlive ?? false { return 0 }
        let environment = environmentVariables()
        var undo = UndoRecord(besides: options.socket)
        var done = undo.daemonEnded(result: environment["SERVICE_RESULT"], exitStatus: environment["EXIT_STATUS"])
        // What systemd could not end keeps the next one waiting.
        if let ruler {
            tell(of: ruler)
            done += undo.undo()
        }
        return tell(done)
    } catch {
        say("wanctld: it is not known whether a daemon runs: \(error)\n")
        return advice(for: error)
    }
}

/// 0 also where a daemon runs, which says itself how the box is: then it came back in time.
private func handOver(_ options: DaemonOptions) -> Int32 {
    do {
        if let ruler = try Ruler.find() {
            if ruler.isAlive {
                write("a daemon runs here and says itself how this box is\n", to: 1)
                return 0
            }
            tell(of: ruler)
        }
        var undo = UndoRecord(besides: options.socket)
        return tell(undo.undo())
    } catch {
        say("wanctld: this box could not be called unfit: \(error)\n")
        return advice(for: error)
    }
}

private func tell(of silent: Ruler) {
    write("the daemon, \(silent.name), \(silent.silence): it hangs, and counts as dead; the next one ends it\n", to: 1)
}

/// What was undone; the exit code.
private func tell(_ done: [String]) -> Int32 {
    for line in done { write("no daemon watches this box: \(line)\n", to: 1) }
    return done.contains { $0.hasPrefix("refused") } ? 1 : 0
}

private func cleanUp(_ options: DaemonOptions) -> Int32 {
    do {
        guard let reign = try Reign.begin(socket: "", say: warn) else {
            say("wanctld: a daemon is running here and would put everything back; stop it first\n")
            return 1
        }
        defer { reign.end() }
        // Under a name of its own: a daemon that starts meanwhile must not take this for its own doing.
        try? Files.write("wanctld-cleanup", to: "/proc/self/comm")
        // The address goes first, to a box that leads somewhere: three advertisements and a little.
        var undo = UndoRecord(besides: options.socket)
        let undone = undo.undo()
        if undo.trackFile != nil, !undone.isEmpty { try UndoRecord.pass(.seconds(1)) }
        let done = undone + (try KernelAccess().cleanUp())
        for line in done { write(line + "\n", to: 1) }
        write("routes, rules and nft table of wanctl are gone\n", to: 1)
        return done.contains { $0.hasPrefix("refused") } ? 1 : 0
    } catch {
        say("wanctld: \(error)\n")
        return advice(for: error)
    }
}

private func warn(_ text: String) {
    Log(hasPrefix: environmentVariables()["JOURNAL_STREAM"] != nil, isVerbose: false)(.warning, text)
}

private func say(_ text: String) { write(text, to: 2) }

private func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
