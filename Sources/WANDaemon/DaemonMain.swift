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

/// Two daemons in one namespace would undo each other's routes, whatever sockets they listen on.
private let lockName = "wanctld"

private func run(_ options: DaemonOptions) -> Int32 {
    do {
        let start = try StartPolicy.find(options)
        try Files.makeDirectory(options.stateDirectory, mode: 0o750)
        if let slash = options.socket.lastIndex(of: "/"), slash > options.socket.startIndex {
            try Files.makeDirectory(String(options.socket[..<slash]), mode: 0o755)
        }
        guard let lock = try NamespaceLock.take(lockName) else {
            say("wanctld: another daemon rules this network namespace; stop it first\n")
            return 1
        }
        defer { lock.keep() }
        let daemon = try Daemon(options: options, start, environment: environmentVariables())
        try daemon.run()
        return 0
    } catch let refusal as ControlRefusal {
        say("wanctld: \(refusal.reason)\n" + refusal.details.map { $0 + "\n" }.joined())
        return 65
    } catch {
        say("wanctld: \(error)\n")
        return advice(for: error)
    }
}

/// 77 where the kernel would not let us, with what to do; 1 otherwise.
private func advice(for error: any Error) -> Int32 {
    guard "\(error)".contains("Operation not permitted") || "\(error)".contains("Permission denied") else { return 1 }
    say("wanctld needs CAP_NET_ADMIN and CAP_NET_RAW: start it as root or by its systemd unit\n")
    return 77
}

private func check(_ options: DaemonOptions) -> Int32 {
    do throws(ControlRefusal) {
        let loaded = try LoadedPolicy.load(options.policy, node: options.nodeName)
        for warning in loaded.warnings + missingCredentials(loaded) { say("warning: \(warning)\n") }
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

/// What the policy names and this machine does not have: the daemon starts without it, and cannot change a speed class.
private func missingCredentials(_ loaded: LoadedPolicy) -> [String] {
    let environment = environmentVariables()
    return loaded.policy.uplinks.compactMap { uplink in
        guard let name = uplink.soracom?.credentials else { return nil }
        let path = loaded.path(ofCredentials: name, environment)
        if Files.exists(path) { return nil }
        return "\(path), the credentials of uplink \(uplink.name), is not there; "
            + "the unit's LoadCredential= or a file of that name gives them"
    }
}

private func ended(_ options: DaemonOptions) -> Int32 {
    do {
        // One that somebody started by hand beside the unit rules the box: what dies of that proves nothing.
        guard try isAlone() else { return 0 }
        let environment = environmentVariables()
        var undo = UndoRecord(besides: options.socket)
        let done = undo.daemonEnded(result: environment["SERVICE_RESULT"], exitStatus: environment["EXIT_STATUS"])
        for line in done { write("no daemon watches this box: \(line)\n", to: 1) }
        return done.contains { $0.hasPrefix("refused") } ? 1 : 0
    } catch {
        say("wanctld: it is not known whether a daemon runs: \(error)\n")
        return advice(for: error)
    }
}

/// 0 also where a daemon runs, which says itself how the box is: then it came back in time.
private func handOver(_ options: DaemonOptions) -> Int32 {
    do {
        guard try isAlone() else {
            write("a daemon runs here and says itself how this box is\n", to: 1)
            return 0
        }
        var undo = UndoRecord(besides: options.socket)
        let done = undo.undo()
        for line in done { write("no daemon watches this box: \(line)\n", to: 1) }
        return done.contains { $0.hasPrefix("refused") } ? 1 : 0
    } catch {
        say("wanctld: this box could not be called unfit: \(error)\n")
        return advice(for: error)
    }
}

/// No daemon is in this network namespace. The lock is not kept: one that comes now must not find the place taken.
private func isAlone() throws(SystemCallError) -> Bool {
    guard let lock = try NamespaceLock.take(lockName) else { return false }
    lock.keep()
    return true
}

private func cleanUp(_ options: DaemonOptions) -> Int32 {
    do {
        guard let lock = try NamespaceLock.take(lockName) else {
            say("wanctld: a daemon is running here and would put everything back; stop it first\n")
            return 1
        }
        defer { lock.keep() }
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

private func say(_ text: String) { write(text, to: 2) }

private func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
