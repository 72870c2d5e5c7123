package import LinuxIO
package import NetworkTypes

/// A machine of a lab: a network namespace `wanctl-ID-NAME` (ip-netns(8)).
package protocol LabMachine: RawRepresentable<String>, Sendable {
    static var inet: Self { get }
    static var jcom: Self { get }
}

extension LabMachine {
    package func namespace(of id: String) -> String { "wanctl-\(id)-\(rawValue)" }
}

/// What every lab is and does, with one router or with a site of several: machines, lines that fail, programs.
package protocol Laboratory: AnyObject, Sendable {
    associatedtype Place: LabMachine
    var life: LabLife { get }
    /// The router at the near end of each line.
    var routers: [LabUplink: Place] { get }
    /// The interface of a line in its router.
    func interface(of uplink: LabUplink) -> String
    /// The address with which a line comes back whose interface was gone, when its provider knows it.
    func renew(_ uplink: LabUplink, _ wanted: IPv4Address?) throws(LabError) -> IPv4Address
}

extension Laboratory {
    package var id: String { life.id }

    /// `/run/wanctl-lab/ID`; it goes with the lab.
    package var directory: String { "\(LabDirectory.root)/\(id)" }

    package func namespaceName(_ place: Place) -> String { place.namespace(of: id) }

    package func namespacePath(_ place: Place) -> String { "/run/netns/\(place.namespace(of: id))" }

    /// The namespace of a place, to open sockets in: `try lab.namespace(.inet).inside { … }`.
    package func namespace(_ place: Place) throws(LabError) -> NetworkNamespace {
        try doing("open \(namespaceName(place))") { try NetworkNamespace.open(namespacePath(place)) }
    }

    /// Ends every program, removes the namespaces and files. No harm when it was done before.
    package func tearDown() throws(LabError) { try life.end() }

    // MARK: its building

    /// A new namespace takes the host's settings over (Documentation/admin-guide/sysctl/net.rst, devconf_inherit_init_net);
    /// a lab is to be the same on every host. The internet checks sources itself, and counts them.
    func setDefaults(in place: Place) throws(LabError) {
        try writeSettings(LabOptions.kernelDefaults, in: place)
        try writeSettings(["net/ipv6/conf/all/disable_ipv6": "1"], in: place)
    }

    /// Writes settings of a place, as `net/ipv4/ip_forward`.
    package func writeSettings(_ settings: [String: String], in place: Place) throws(LabError) {
        try doing("set \(namespaceName(place))") {
            try namespace(place).inside {
                for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
                    try Files.write(value, to: "/proc/sys/\(name)")
                }
            }
        }
    }

    /// The lines, with an interface in the router of each; the interfaces have no address yet.
    func layWires(seed: UInt64, lines: [LabUplink: LineQuality]) throws(LabError) {
        var near: [LabUplink: Wires.NearEnd] = [:]
        for (uplink, router) in routers {
            near[uplink] = Wires.NearEnd(namespace: namespacePath(router), interface: interface(of: uplink))
        }
        let wires = try LoopThread<Wires>("the wires", urgent: true) { [id, near] loop in
            try Wires(on: loop, lab: id, seed: seed, lines: lines, near: near)
        }
        try life.add { $0.wires = wires }
    }

    /// The internet and JCOM's home router watch over sources, and can be asked; programs can be started.
    func open() throws(LabError) {
        try load(Assembly.inetRuleset, in: .inet)
        if routers[.jcom] != nil {
            try load(Assembly.jcomRuleset, in: .jcom)
            try writeSettings(["net/ipv4/ip_forward": "1"], in: .jcom)
        }
        let starter = try LoopThread<Void>("the starter of programs") { _ in }
        let content = try ContentServer(in: namespacePath(.inet))
        try life.add { parts in
            parts.starter = starter
            parts.content = content
        }
    }

    /// `ip -batch -` in a place.
    func change(_ place: Place, _ batch: String) throws(LabError) {
        try life.mustRun(["ip", "-n", namespaceName(place), "-batch", "-"], input: batch)
    }

    /// `nft -f -` in a place.
    func load(_ ruleset: String, in place: Place) throws(LabError) {
        try life.mustRun(["nft", "-f", "-"], in: namespaceName(place), input: ruleset)
    }

    /// The wires' thread, for the faults.
    func onWires<Answer: Sendable>(_ body: @escaping @Sendable (Wires) throws -> Answer) throws(LabError) -> Answer {
        guard let wires = life.parts.wires else { throw LabError("reach the wires", "the lab is down") }
        return try wires.perform(body)
    }

    // MARK: its programs

    /// Runs a program inside a place to its end; it need not succeed.
    package func run(
        in place: Place, _ arguments: [String], input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> CommandResult {
        try life.run(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Runs a program inside a place that must succeed; its standard output.
    @discardableResult
    package func mustRun(
        in place: Place, _ arguments: [String], input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> String {
        try life.mustRun(arguments, in: namespaceName(place), input: input, atMost: limit)
    }

    /// Starts a program inside a place and leaves it running; it ends with the lab at the latest, by SIGKILL if the lab's process
    /// dies. Its output goes to a file in the lab's `log` directory, or to `logPath`, which outlives the lab.
    package func spawn(
        in place: Place, _ arguments: [String], environment: [String: String] = [:], logPath: String? = nil
    ) throws(LabError) -> Child {
        try life.spawn(
            in: namespaceName(place), arguments, environment: environment, logPath: logPath,
            label: "\(place.rawValue)-\(Spawn.name(of: arguments))")
    }

    /// The plainest router there is: forwarding on, masquerading on these interfaces, one default route. For trying the lab
    /// without the daemon.
    func routePlainly(_ place: Place, masquerading interfaces: [String], over uplink: LabUplink) throws(LabError) {
        try writeSettings(["net/ipv4/ip_forward": "1"], in: place)
        try load(
            """
            table ip lab-plain
            delete table ip lab-plain
            table ip lab-plain {
                chain translate {
                    type nat hook postrouting priority srcnat; policy accept;
                    oifname { \(interfaces.map { "\"\($0)\"" }.joined(separator: ", ")) } masquerade
                }
            }

            """, in: place)
        try mustRun(in: place, plainDefault(over: uplink))
    }

    /// `ip route replace default …` in a line's router, as one would type it.
    func plainDefault(over uplink: LabUplink) -> [String] {
        let way = uplink.isPointToPoint ? [] : ["via", uplink.gateway.description]
        return ["ip", "route", "replace", "default"] + way + ["dev", interface(of: uplink)]
    }

    // MARK: what goes wrong

    /// Lets something go wrong with a line, or right; the moment it took effect (`Clock.boottime`).
    @discardableResult
    package func setFault(_ uplink: LabUplink, _ fault: Fault) throws(LabError) -> Int64 {
        switch fault {
        case .gone:
            return try onWires { wires in
                let moment = Clock.boottime()
                try wires[uplink].unplugNear()
                return moment
            }
        case .back(let wanted):
            let address = try renew(uplink, wanted)
            try onWires { wires in
                try wires.reset(uplink)
                try wires.plug(uplink)
            }
            try raise(uplink, address)
            return Clock.boottime()
        default:
            return try onWires { wires in
                let moment = Clock.boottime()
                try wires[uplink].suffer(fault, gateway: uplink.gateway, at: moment)
                return moment
            }
        }
    }

    /// A line as it was built, its interface included, but for the addresses.
    package func clearFaults(_ uplink: LabUplink) throws(LabError) {
        let isPlugged = try onWires { wires in
            try wires.reset(uplink)
            let isPlugged = try wires[uplink].isPlugged
            if isPlugged { try wires[uplink].setCarrier(true) }
            return isPlugged
        }
        if !isPlugged { try setFault(uplink, .back()) }
    }

    /// What pppd, or dhclient on the Wi-Fi, does when the line comes up.
    func raise(_ uplink: LabUplink, _ address: IPv4Address) throws(LabError) {
        guard let router = routers[uplink] else { throw LabError("raise \(uplink)", "this lab has no such line") }
        try change(router, Assembly.nearEnd(of: uplink, interface(of: uplink), address))
    }
}
