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
        try life.run(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Runs a program inside a place that must succeed; its standard output.
    @discardableResult
    package func mustRun(
        in place: LabPlace, _ arguments: [String], input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> String {
        try life.mustRun(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Starts a program inside a place and leaves it running; it ends with the lab at the latest, by SIGKILL if the lab's process
    /// dies. Its output goes to a file in the lab's `log` directory, or to `logPath`, which outlives the lab.
    package func spawn(
        in place: LabPlace, _ arguments: [String], environment: [String: String] = [:], logPath: String? = nil
    ) throws(LabError) -> Child {
        try life.spawn(
            in: namespaceName(place), arguments, environment: environment, logPath: logPath,
            label: Spawn.name(of: arguments))
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
