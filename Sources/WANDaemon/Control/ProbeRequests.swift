package import LinuxIO
package import NetworkTypes
package import WANControl
internal import WANModel

/// Who waits for the answers of probes sent on request: `wanctl probe`, and `wanctl failover` to a line not heard lately.
package final class ProbeRequests {
    private let loop: EventLoop
    private var open: [Request] = []
    private var questions: [Question] = []
    private static let limit: Int64 = 2_000_000_000

    private final class Request {
        let reply: ControlReply
        /// By uplink, in the order of the answer.
        var waiting: [(uplink: String, targets: Set<IPAddress>)]
        init(_ reply: ControlReply, _ waiting: [(uplink: String, targets: Set<IPAddress>)]) {
            self.reply = reply
            self.waiting = waiting
        }
    }

    /// Who waits for any answer of an uplink; told once.
    private final class Question {
        let uplink: String
        var tell: ((Bool) -> Void)?
        init(_ uplink: String, _ tell: @escaping (Bool) -> Void) { (self.uplink, self.tell) = (uplink, tell) }
    }

    package init(loop: EventLoop) { self.loop = loop }

    /// Tells each answer of these targets, by uplink, and after two seconds what did not come.
    package func follow(_ reply: ControlReply, _ waiting: [(uplink: String, targets: Set<IPAddress>)]) {
        guard !waiting.isEmpty else { return reply.finish() }
        let request = Request(reply, waiting)
        open.append(request)
        reply.onClose = { [weak self, weak request] in self?.open.removeAll { $0 === request } }
        loop.schedule(at: Clock.boottime() + Self.limit) { [weak self, weak request] in
            if let request { self?.end(request) }
        }
    }

    /// Tells whether the uplink answers anything within so long; nothing, where who asks has gone by then.
    package func listen(
        to uplink: String, within limit: Duration, for reply: ControlReply, _ tell: @escaping (Bool) -> Void
    ) {
        let question = Question(uplink, tell)
        questions.append(question)
        reply.onClose = { [weak self] in self?.take(question, nil) }
        loop.schedule(at: Clock.boottime() + limit.nanoseconds) { [weak self] in self?.take(question, false) }
    }

    private func take(_ question: Question, _ isHeard: Bool?) {
        questions.removeAll { $0 === question }
        guard let tell = question.tell else { return }
        question.tell = nil
        if let isHeard { tell(isHeard) }
    }

    package func answered(_ uplink: String, _ target: IPAddress, _ rtt: Duration) {
        for question in questions where question.uplink == uplink { take(question, true) }
        for request in open {
            guard let index = request.waiting.firstIndex(where: { $0.uplink == uplink }),
                request.waiting[index].targets.remove(target) != nil
            else { continue }
            request.reply.send(
                ProbeReport(uplink: uplink, target: target.description, rttMilliseconds: rtt.milliseconds).json)
            if request.waiting.allSatisfy(\.targets.isEmpty) { end(request) }
        }
    }

    private func end(_ request: Request) {
        open.removeAll { $0 === request }
        for (uplink, targets) in request.waiting {
            for target in targets.map(\.description).sorted() {
                request.reply.send(ProbeReport(uplink: uplink, target: target, problem: "no answer within 2 s").json)
            }
        }
        request.reply.finish()
    }
}
