internal import CLinux
internal import Glibc
internal import LinuxIO
internal import NetworkTypes
internal import Synchronization

extension Lab {
    /// Runs a program inside a place to its end; it need not succeed.
    package func run(
        in place: LabPlace, _ arguments: [String], input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> CommandResult {
        try Command.run(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Runs a program inside a place that must succeed; its standard output.
    @discardableResult
    package func mustRun(
        in place: LabPlace, _ arguments: [String], input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> String {
        try Command.mustRun(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Starts a program inside a place and leaves it running; it ends with the lab at the latest, by SIGKILL if the lab's process
    /// dies. Its output goes to a file in the lab's `log` directory, or to `logPath`, which outlives the lab.
    package func spawn(
        in place: LabPlace, _ arguments: [String], environment: [String: String] = [:], logPath: String? = nil
    ) throws(LabError) -> Child {
        let number = state.withLock { state in
            state.logs += 1
            return state.logs
        }
        let program = arguments.first?.split(separator: "/").last.map(String.init) ?? "program"
        let log = logPath ?? "\(directory)/log/\(number)-\(program)"
        let words = Spawn.words(for: arguments, in: namespaceName(place))
        // On the lab's own thread: the death signal of a child comes when the thread that started it ends.
        let child = try onStarter {
            try Child.start(words, arguments: arguments, logPath: log, environment: environment)
        }
        state.withLock { state in
            state.children.removeAll { !$0.isRunning }
            state.children.append(child)
        }
        return child
    }

    /// The plainest router there is: forwarding on, masquerading on every uplink, one default route. For trying the lab without
    /// the daemon.
    package func routePlainly(over uplink: LabUplink) throws(LabError) {
        try writeSettings(["net/ipv4/ip_forward": "1"], in: .router)
        try mustRun(
            in: .router, ["nft", "-f", "-"],
            input: """
                table ip lab-plain
                delete table ip lab-plain
                table ip lab-plain {
                    chain translate {
                        type nat hook postrouting priority srcnat; policy accept;
                        oifname { "ppp0", "wlan0", "ppp1" } masquerade
                    }
                }

                """)
        try mustRun(in: .router, ["ip"] + Self.plainDefault(over: uplink))
    }

    /// `ip route replace default …`, as one would type it.
    package static func plainDefault(over uplink: LabUplink) -> [String] {
        let way = uplink.isPointToPoint ? [] : ["via", uplink.gateway.description]
        return ["route", "replace", "default"] + way + ["dev", uplink.interface]
    }
}
