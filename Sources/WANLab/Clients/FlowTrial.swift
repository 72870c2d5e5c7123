internal import Glibc
internal import LinuxIO

/// One flow, tried once: which uplink it takes, or whether it is refused. For rules, which say just that.
package struct FlowTrial: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The server answered; by this uplink it saw the flow come, `nil` is a source of no uplink.
        case answered(by: LabUplink?, seenAs: Endpoint)
        /// An error came at once: a reset, or an ICMP error.
        case refused(Breakage)
        /// Neither came.
        case silent
    }

    package var transport: FlowTransport
    package var place: LabPlace
    /// Port 0 is any; `nil` leaves the address to the kernel too.
    package var source: Endpoint?
    /// A server that tells what source it sees: the content server's, or a `LabServer`.
    package var destination: Endpoint
    /// Six bits (RFC 2474).
    package var dscp: UInt8

    package init(
        _ transport: FlowTransport, from source: Endpoint? = nil, to destination: Endpoint? = nil,
        at place: LabPlace = .lan,
        dscp: UInt8 = 0
    ) {
        self.transport = transport
        self.place = place
        self.source = source
        self.destination = destination ?? (transport == .tcp ? ContentServer.telling : ContentServer.endpoint)
        self.dscp = dscp
    }

    /// Opens the flow, and closes it when it has its answer.
    package func run(in lab: Lab, patience: Duration = .seconds(1)) throws(LabError) -> Outcome {
        let socket = try doing("try a flow to \(destination)") {
            let socket = try lab.namespace(place).inside {
                transport == .tcp ? try InternetSocket.tcp() : try InternetSocket.udp()
            }
            // ip(7): the class is the upper six bits.
            InternetSocket.set(socket, Int32(IPPROTO_IP), IP_TOS, Int32(dscp & 0x3f) << 2)
            if let source { try InternetSocket.bind(socket, to: source) }
            return socket
        }
        do { try InternetSocket.connect(socket, to: destination) } catch {
            return .refused(Breakage(errno: error.errno))
        }
        if transport == .udp, send(socket.raw, [0x77], 1, 0) < 0 { return .refused(Breakage(errno: errno)) }
        return answer(on: socket, until: Clock.boottime() + patience.nanoseconds, in: lab)
    }

    private func answer(on socket: borrowing OwnedDescriptor, until deadline: Int64, in lab: Lab) -> Outcome {
        var told: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64)
        // Our one octet comes before the source that the UDP server tells.
        let before = transport == .udp ? 1 : 0
        while true {
            let left = deadline - Clock.boottime()
            guard left > 0 else { return .silent }
            var poller = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            if poll(&poller, 1, Duration.nanoseconds(left).pollMilliseconds) <= 0 { continue }
            let count = recv(socket.raw, &buffer, buffer.count, 0)
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                return .refused(Breakage(errno: errno))
            }
            if count == 0 { return .refused(.closed) }
            told += buffer[..<count]
            if let source = Endpoint(networkOctets: told.dropFirst(before)) {
                return .answered(by: lab.sourceOwners[source.address], seenAs: source)
            }
        }
    }
}
