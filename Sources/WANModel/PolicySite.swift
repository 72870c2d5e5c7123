package import NetworkTypes

// What the site has beside its uplinks. Boxes, VRRP and notifiers are read before a release can obey them: it then refuses the
// policy in words (`WANPolicy.unsupported`).

/// NAPT: a port of one or more uplinks that leads to a host in the LAN.
package struct Forward: Hashable, Sendable {
    package enum Transport: String, Hashable, Sendable, CaseIterable { case tcp, udp }
    package var uplinks: [String]
    package var transport: Transport
    package var ports: ClosedRange<UInt16>
    package var host: IPAddress
    package var hostPort: UInt16

    package init(
        uplinks: [String], transport: Transport, ports: ClosedRange<UInt16>, host: IPAddress, hostPort: UInt16
    ) {
        self.uplinks = uplinks
        self.transport = transport
        self.ports = ports
        self.host = host
        self.hostPort = hostPort
    }
}

/// Somebody to be told.
package enum Notifier: Hashable, Sendable {
    case mail(to: String, from: String, server: String, events: [String])
    case webhook(url: String, events: [String])
}

/// A box of the site.
package struct Node: Hashable, Sendable {
    package var name: String
    package var address: IPAddress
    package init(name: String, address: IPAddress) {
        self.name = name
        self.address = address
    }
}
