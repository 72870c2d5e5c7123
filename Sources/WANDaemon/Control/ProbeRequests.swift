package import LinuxIO
package import NetworkTypes
package import WANControl
internal import WANModel

/// Who waits for the answers of probes sent on request, `wanctl probe`.
package final class ProbeRequests {
    private let loop: EventLoop
    private var open: [Request] = []
    private static let limit: Int64 = 2_000_000_000

    private final class Request {
        let reply: ControlReply
        var waiting: [String: Set<IPAddress>]
        init(_ reply: ControlReply, _ waiting: [String: Set<IPAddress>]) {
            self.reply = reply
            self.waiting = waiting
        }
    }

    package init(loop: EventLoop) { self.loop = loop }

    /// Tells each answer of these targets, by uplink, and after two seconds what did not come.
    package func follow(_ reply: ControlReply, _ waiting: [String: Set<IPAddress>]) {
        guard !waiting.isEmpty else { return reply.finish() }
        let request = Request(reply, waiting)
        open.append(request)
        reply.onClose = { [weak self, weak request] in self?.open.removeAll { $0 === request } }
        loop.schedule(at: Clock.boottime() + Self.limit) { [weak self, weak request] in
            if let request { self?.end(request) }
        }
    }

    package func answered(_ uplink: String, _ target: IPAddress, _ rtt: Duration) {
        for request in open where request.waiting[uplink]?.remove(target) != nil {
            request.reply.send(
                ProbeReport(uplink: uplink, target: target.description, rttMilliseconds: rtt.milliseconds).json)
            if request.waiting.values.allSatisfy(\.isEmpty) { end(request) }
        }
    }

    private func end(_ request: Request) {
        open.removeAll { $0 === request }
        for (uplink, targets) in request.waiting.sorted(by: { $0.key < $1.key }) {
            for target in targets.map(\.description).sorted() {
                request.reply.send(ProbeReport(uplink: uplink, target: target, problem: "no answer within 2 s").json)
            }
        }
        request.reply.finish()
    }
}
