/// A server on a port of one of the lab's hosts: what a forward leads to, or what LAN hosts ask each other.
///
/// UDP: the datagram comes back with the address and port it came from behind it. TCP: the server first tells the address and
/// port it sees, then echoes. It ends with the object.
package final class LabServer: Sendable {
    package let ports: [Endpoint]
    private let thread: LoopThread<EchoService>

    /// - Parameters:
    ///   - place: Whose namespace.
    ///   - ports: Each for TCP and UDP; the addresses are the host's own.
    package static func start(in lab: Lab, at place: LabPlace = .lan, _ ports: [Endpoint]) throws(LabError) -> LabServer
    {
        let namespace = lab.namespacePath(place)
        return LabServer(
            ports,
            try LoopThread("a server in \(place.rawValue)", urgent: true) { loop in
                try EchoService(
                    on: loop, in: namespace,
                    EchoService.Ports(
                        datagrams: ports,
                        connections: Dictionary(ports.map { ($0, .tellAndEcho) }, uniquingKeysWith: { $1 })))
            })
    }

    /// On one port of the LAN client.
    package static func start(in lab: Lab, port: UInt16) throws(LabError) -> LabServer {
        try start(in: lab, at: .lan, [Endpoint(LabAddress.client, port)])
    }

    private init(_ ports: [Endpoint], _ thread: LoopThread<EchoService>) {
        self.ports = ports
        self.thread = thread
    }

    /// Every source it has seen so far, of datagrams and connections.
    package func sources() throws(LabError) -> Set<Endpoint> { try thread.perform { $0.sources } }

    package func stop() { thread.stop() }
}
