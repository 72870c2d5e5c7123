internal import LinuxIO
internal import WANControl

/// The daemon's side of `wanctl-courier`, which listens at a socket of its own: one connection for each errand.
///
/// Whatever happens to the courier, every errand ends with exactly one answer, unless a newer one on the same subject takes its place.
/// To hang up is to call it off.
final class CourierClient {
    private final class Errand {
        let subject: String?
        let connection: OwnedDescriptor
        let answer: (CourierAnswer?, String) -> Void
        var reading: EventLoop.Watch?
        var timer: EventLoop.Timer?
        var input = LineBuffer(limit: courierLineLimit)

        init(
            _ subject: String?, _ connection: consuming OwnedDescriptor,
            _ answer: @escaping (CourierAnswer?, String) -> Void
        ) {
            self.subject = subject
            self.connection = connection
            self.answer = answer
        }
    }

    private let loop: EventLoop
    private let path: String
    private var errands: [Int64: Errand] = [:]
    private var lastID: Int64 = 0
    /// Beyond what the courier allows itself for a request.
    private static let grace: Int64 = 2_000_000_000

    /// - Parameter path: Where the courier listens.
    init(loop: EventLoop, path: String) {
        self.loop = loop
        self.path = path
    }

    /// `timeout` in nanoseconds. The answer is `nil` with a reason where the courier could not give one.
    ///
    /// - Parameter subject: What it is about, so that one that is under way on the same is called off; `nil`: nobody waits for it.
    func ask(
        _ make: (Int64) -> CourierRequest, on subject: String?, timeout: Int64,
        answer: @escaping (CourierAnswer?, String) -> Void
    ) {
        for (id, errand) in errands where subject != nil && errand.subject == subject { forget(id) }
        lastID += 1
        let id = lastID
        do throws(SystemCallError) {
            let errand = Errand(subject, try UnixStream.connectAtOnce(to: path), answer)
            // A fresh socket has room for far more than a request.
            let line = make(id).line + [10]
            guard try UnixStream.send(line[...], to: errand.connection) == line.count else {
                return answer(nil, "the courier does not take requests; \(Self.advice)")
            }
            errand.reading = try loop.watch(errand.connection.raw) { [weak self] _ in self?.read(id) }
            errand.timer = loop.schedule(at: Clock.boottime() + timeout + Self.grace) { [weak self] in
                self?.end(id, "did not answer in time and was given up; \(Self.advice)")
            }
            errands[id] = errand
        } catch {
            answer(nil, meaning(of: error))
        }
    }

    private func read(_ id: Int64) {
        guard let errand = errands[id] else { return }
        do throws(SystemCallError) {
            guard let bytes = try UnixStream.receive(from: errand.connection, limit: 4096) else { return }
            if bytes.isEmpty { return end(id, "hung up before it answered; \(Self.advice)") }
            errand.input.append(bytes)
        } catch {
            return end(id, "hung up: \(error); \(Self.advice)")
        }
        guard let line = errand.input.next() else {
            if errand.input.isOverlong { end(id, "sent an endless line and was given up; \(Self.advice)") }
            return
        }
        do throws(CourierMessageError) {
            let answer = try CourierAnswer(line: line)
            guard answer.id == id else { throw CourierMessageError("it is about another request") }
            forget(id)
            errand.answer(answer, "")
        } catch {
            end(id, "gave an answer that is none: \(error); \(Self.advice)")
        }
    }

    /// Tells who waits that there will be no answer.
    private func end(_ id: Int64, _ reason: String) {
        guard let errand = errands[id] else { return }
        forget(id)
        errand.answer(nil, "the courier \(reason)")
    }

    /// Hangs up, and nobody is told.
    private func forget(_ id: Int64) {
        guard let errand = errands.removeValue(forKey: id) else { return }
        if let watch = errand.reading { loop.remove(watch) }
        if let timer = errand.timer { loop.cancel(timer) }
    }

    /// The daemon ends, and what was asked for will be asked for by the next one.
    func stop() {
        for id in errands.keys { forget(id) }
    }

    private static let advice = "see: journalctl -u 'wanctl-courier@*'"

    private func meaning(of error: SystemCallError) -> String {
        if error.isNobodyThere {
            "no courier listens at \(path); see: systemctl status wanctl-courier.socket"
        } else if error.isNotPermitted {
            "the courier at \(path) is not for this user; see: systemctl status wanctl-courier.socket"
        } else if error.isTryAgain {
            "the courier at \(path) takes no more requests just now; \(Self.advice)"
        } else {
            "the courier cannot be reached: \(error)"
        }
    }
}
