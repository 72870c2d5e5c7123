package import NetworkTypes
package import WANModel

/// What is around a line, so that the name servers it hands out get no way that belongs to somebody else.
///
/// A route to a name server goes before everything else. A provider who names a host of the LAN, or what another line is probed
/// by, would have that traffic. A value: what it is made of comes in.
package struct NameServerCheck: Hashable, Sendable {
    /// A network that an interface of this box stands in.
    package struct Network: Hashable, Sendable {
        package var prefix: IPPrefix
        package var interface: String
        /// `nil`: the LAN's, or another one that leads to no provider.
        package var uplink: UplinkNumber?
        /// The kernel itself leads there; else who gave the address does, by a table of his choice.
        package var hasRoute: Bool

        package init(_ prefix: IPPrefix, interface: String, uplink: UplinkNumber? = nil, hasRoute: Bool = true) {
            self.prefix = prefix
            self.interface = interface
            self.uplink = uplink
            self.hasRoute = hasRoute
        }
    }

    package struct Line: Hashable, Sendable {
        package var number: UplinkNumber
        package var name: String
        package var gateway: IPAddress?
        /// Who is asked whether it works.
        package var targets: [IPAddress]

        package init(number: UplinkNumber, name: String, gateway: IPAddress?, targets: [IPAddress]) {
            self.number = number
            self.name = name
            self.gateway = gateway
            self.targets = targets
        }
    }

    package enum Verdict: Hashable, Sendable {
        /// It gets a route over its line.
        case led
        /// It is in a network that its line stands in, as a router that hands itself out is: it is reached without a route.
        case near
        /// Another line is probed by it: it is asked as any address of the Internet is, and that is no fault of anybody's.
        case open
        /// It is nobody's name server. Why, as what follows its name.
        case refused(String)
    }

    package var networks: [Network]
    /// Addresses of this box, and the one that it may get.
    package var own: Set<IPAddress>
    package var lines: [Line]

    package init(networks: [Network] = [], own: Set<IPAddress> = [], lines: [Line] = []) {
        self.networks = networks
        self.own = own
        self.lines = lines
    }

    package func verdict(on server: IPAddress, of number: UplinkNumber) -> Verdict {
        guard server.family == .v4 else { return .near }
        if own.contains(server) { return .refused("is an address of this router") }
        // As the kernel looks it up: the narrowest network counts. Two lines may stand in the same one.
        let around = networks.filter { $0.prefix.contains(server) }
        let narrowest = around.map(\.prefix.length).max()
        let nearest = around.filter { $0.prefix.length == narrowest }
        if let lan = nearest.first(where: { $0.uplink == nil }) {
            return .refused("is in the network of \(lan.interface)")
        }
        if nearest.contains(where: { $0.uplink == number }) {
            // Of two, the kernel takes one for both: then the route says which.
            return nearest.allSatisfy { $0.uplink == number && $0.hasRoute } ? .near : .led
        }
        if let other = nearest.first { return .refused("is in the network of \(other.interface)") }
        let others = lines.filter { $0.number != number }
        if let other = others.first(where: { $0.gateway == server }) {
            return .refused("is the gateway of \(other.name)")
        }
        return others.contains { $0.targets.contains(server) } ? .open : .led
    }
}
