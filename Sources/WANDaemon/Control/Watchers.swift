internal import JSONText
internal import LinuxIO
internal import WANControl

/// Who follows status and events: `wanctl status --watch` and `wanctl watch`.
final class Watchers {
    private let loop: EventLoop
    private var ofStatus: [ObjectIdentifier: ControlReply] = [:]
    private var ofEvents: [ObjectIdentifier: ControlReply] = [:]
    private var timer: EventLoop.Timer?
    /// The status as it is.
    var status: () -> JSONValue = { .null }

    init(loop: EventLoop) { self.loop = loop }

    func followStatus(_ reply: ControlReply) {
        ofStatus[ObjectIdentifier(reply)] = reply
        reply.onClose = { [weak self, id = ObjectIdentifier(reply)] in self?.ofStatus[id] = nil }
    }

    func followEvents(_ reply: ControlReply) {
        ofEvents[ObjectIdentifier(reply)] = reply
        reply.onClose = { [weak self, id = ObjectIdentifier(reply)] in self?.ofEvents[id] = nil }
    }

    func tell(_ event: EventReport) {
        for reply in ofEvents.values { reply.send(event.json) }
        statusHasChanged()
    }

    /// Many changes of one moment make one picture.
    func statusHasChanged() {
        guard !ofStatus.isEmpty, timer == nil else { return }
        timer = loop.schedule(at: Clock.boottime() + 20_000_000) { [weak self] in
            guard let self else { return }
            timer = nil
            let json = status()
            for reply in ofStatus.values { reply.send(json) }
        }
    }
}
