internal import Glibc
package import LinuxIO
internal import NetworkTypes
internal import Synchronization

/// A small internet out of network namespaces on one machine: three providers, a router, a LAN client, and what can go wrong.
///
/// The router is left without default route, NAT and forwarding: that is the job of what is tested in it.
/// Everything goes with the object (`LabLife`), and with the process but for the namespaces, which the next lab or
/// `StaleLabs.sweep()` removes. Needs root, and touches nothing outside its own namespaces and `/run/wanctl-lab/ID`.
package final class Lab: Sendable {
    package let options: LabOptions
    let life: LabLife
    let state: Mutex<State>

    struct State {
        /// The router's address on each uplink, now or when it was last there.
        var addresses: [LabUplink: IPv4Address]
        /// Every source address the internet ever had to expect, and by which uplink.
        var owners: [IPv4Address: LabUplink]
    }

    package static func build(_ options: LabOptions = LabOptions()) throws(LabError) -> Lab {
        try StaleLabs.sweep()
        return try build(options, try LabLife.begin(options.id))
    }

    /// Where it fails, what was built goes with the life.
    static func build(_ options: LabOptions, _ life: LabLife) throws(LabError) -> Lab {
        let lab = Lab(options, life)
        try lab.assemble()
        return lab
    }

    private init(_ options: LabOptions, _ life: LabLife) {
        self.life = life
        self.options = options
        state = Mutex(
            State(
                addresses: Dictionary(uniqueKeysWithValues: LabUplink.allCases.map { ($0, $0.address) }),
                owners: Dictionary(uniqueKeysWithValues: LabUplink.allCases.map { ($0.publicAddress, $0) })))
    }

    package var id: String { life.id }

    /// `/run/wanctl-lab/ID`; it goes with the lab.
    package var directory: String { "\(LabDirectory.root)/\(id)" }

    package func namespaceName(_ place: LabPlace) -> String { place.namespace(of: id) }

    package func namespacePath(_ place: LabPlace) -> String { "/run/netns/\(place.namespace(of: id))" }

    /// The namespace of a place, to open sockets in: `try lab.namespace(.inet).inside { … }`.
    package func namespace(_ place: LabPlace) throws(LabError) -> NetworkNamespace {
        try doing("open \(namespaceName(place))") { try NetworkNamespace.open(namespacePath(place)) }
    }

    /// Ends every program, removes the namespaces and files. No harm when it was done before.
    package func tearDown() throws(LabError) { try life.end() }

    private func assemble() throws(LabError) {
        try life.mustRun(["ip", "-batch", "-"], input: Assembly.namespaces(id))
        try applySettings()
        let (id, options) = (id, options)
        let wires = try LoopThread<Wires>("the wires", urgent: true) { loop in
            try Wires(on: loop, lab: id, options: options)
        }
        try life.add { $0.wires = wires }
        for place in LabPlace.allCases {
            try life.mustRun(
                ["ip", "-n", namespaceName(place), "-batch", "-"], input: Assembly.addresses(of: place))
        }
        for uplink in LabUplink.allCases {
            try life.mustRun(
                ["ip", "-n", namespaceName(.router), "-batch", "-"],
                input: Assembly.routerEnd(of: uplink, address: uplink.address))
        }
        try life.mustRun(["nft", "-f", "-"], in: namespaceName(.inet), input: Assembly.inetRuleset)
        try life.mustRun(["nft", "-f", "-"], in: namespaceName(.jcom), input: Assembly.jcomRuleset)
        let starter = try LoopThread<Void>("the starter of programs") { _ in }
        let content = try ContentServer(in: namespacePath(.inet))
        try life.add { parts in
            parts.starter = starter
            parts.content = content
        }
    }

    /// A new namespace takes the host's settings over (Documentation/admin-guide/sysctl/net.rst, devconf_inherit_init_net);
    /// a lab is to be the same on every host. The internet checks sources itself, and counts them.
    private func applySettings() throws(LabError) {
        try writeSettings(options.routerSettings, in: .router)
        for place in [LabPlace.inet, .jcom, .lan, .guest] {
            try writeSettings(LabOptions.kernelDefaults, in: place)
            try writeSettings(["net/ipv6/conf/all/disable_ipv6": "1"], in: place)
        }
        try writeSettings(["net/ipv4/ip_forward": "1"], in: .jcom)
    }

    /// Writes settings of a place, as `net/ipv4/ip_forward`.
    package func writeSettings(_ settings: [String: String], in place: LabPlace) throws(LabError) {
        try doing("set \(namespaceName(place))") {
            try namespace(place).inside {
                for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
                    try Files.write(value, to: "/proc/sys/\(name)")
                }
            }
        }
    }

    /// The wires' thread, for the faults.
    func onWires<Answer: Sendable>(_ body: @escaping @Sendable (Wires) throws -> Answer) throws(LabError) -> Answer {
        guard let wires = life.parts.wires else { throw LabError("reach the wires", "the lab is down") }
        return try wires.perform(body)
    }
}

/// One line on standard error.
func writeError(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
