/// The content server of the lab's internet, at `LabAddress.content`.
///
/// UDP and TCP echo (RFC 862) on port 7; the same UDP echo where WireGuard and SIP would listen; a TCP echo that first tells what
/// source it sees; a download without end (RFC 864). A datagram comes back with the address and port it came from behind it, so
/// that a client learns by which provider it went.
final class ContentServer: Sendable {
    static let endpoint = Endpoint(LabAddress.content, 7)
    /// Tells the source it sees and echoes, over TCP.
    static let telling = Endpoint(LabAddress.content, 1007)
    /// Tells the source it sees and sends without end.
    static let download = Endpoint(LabAddress.content, 19)
    /// Octets that the UDP echo adds: address and port in network order.
    static let trailerLength = EchoService.sourceLength
    /// What a download brings a second: enough to see a stall of a few milliseconds, little enough for a busy machine.
    private static let downloadRate: UInt32 = 1_000_000

    private let thread: LoopThread<EchoService>

    init(in namespace: String) throws(LabError) {
        thread = try LoopThread("the content server", urgent: true) { loop in
            let address = LabAddress.content
            return try EchoService(
                on: loop, in: namespace,
                EchoService.Ports(
                    datagrams: [Self.endpoint, Endpoint(address, 51820), Endpoint(address, 5060)],
                    connections: [
                        Self.endpoint: .echo, Self.telling: .tellAndEcho,
                        Self.download: .tellAndStream(octetsPerSecond: Self.downloadRate),
                    ]))
        }
    }

    func stop() { thread.stop() }
}
