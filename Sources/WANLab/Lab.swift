internal import Glibc
internal import NetworkTypes
internal import Synchronization

/// A small internet out of network namespaces on one machine: three providers, a router, a LAN client, and what can go wrong.
///
/// The router is left without default route, NAT and forwarding: that is the job of what is tested in it.
/// Everything goes with the object (`LabLife`), and with the process but for the namespaces, which the next lab or
/// `StaleLabs.sweep()` removes. Needs root, and touches nothing outside its own namespaces and `/run/wanctl-lab/ID`.
package final class Lab: Laboratory {
    package let options: LabOptions
    package let life: LabLife
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

    package var routers: [LabUplink: LabPlace] {
        Dictionary(uniqueKeysWithValues: LabUplink.allCases.map { ($0, .router) })
    }

    package func interface(of uplink: LabUplink) -> String { uplink.interface }

    private func assemble() throws(LabError) {
        try life.mustRun(["ip", "-batch", "-"], input: Assembly.namespaces(id))
        try writeSettings(options.routerSettings, in: .router)
        for place in [LabPlace.inet, .jcom, .lan, .guest] { try setDefaults(in: place) }
        try layWires(seed: options.seed, lines: options.lines)
        for place in LabPlace.allCases { try change(place, Assembly.addresses(of: place)) }
        for uplink in LabUplink.allCases { try raise(uplink, uplink.address) }
        try open()
    }

    /// The plainest router there is, with one default route.
    package func routePlainly(over uplink: LabUplink) throws(LabError) {
        try routePlainly(.router, masquerading: LabUplink.allCases.map(\.interface), over: uplink)
    }
}

/// One line on standard error.
func writeError(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
