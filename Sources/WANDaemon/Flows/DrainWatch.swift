package import LinuxIO
package import PacketWire
package import WANControl
package import WANModel

/// Watches the old flows on uplinks that are to become empty: for the engine, so that a drain ends when nothing is at work any
/// more and not only in time, and for whoever follows `wanctl drain`. One count of an uplink a second, whoever asks.
package final class DrainWatch {
    /// An uplink as the engine sees it now.
    package struct Line {
        package var name: String
        /// When its last old flows are moved at the latest; `nil` where none may finish there.
        package var drainsUntil: Moment?
        /// Until when connections wait for it to answer again.
        package var graceUntil: Moment?
        /// Whether a flow is one of those that may finish.
        package var isOld: (ConntrackEntry) -> Bool

        package init(
            name: String, drainsUntil: Moment?, graceUntil: Moment? = nil, isOld: @escaping (ConntrackEntry) -> Bool
        ) {
            self.name = name
            self.drainsUntil = drainsUntil
            self.graceUntil = graceUntil
            self.isOld = isOld
        }
    }

    /// What follows a drain: its state each second, and once `isDone` or refused nothing more.
    package typealias Follower = (Result<DrainReport, ControlRefusal>) -> Void

    private struct Drain {
        var ledger: DrainLedger
        var classes: Set<Int>
        var finding: DrainLedger.Finding?
    }

    /// What begins to drain.
    package struct Beginning {
        package var classes: Set<Int>
        package var isMetered: Bool

        package init(classes: Set<Int>, isMetered: Bool) {
            self.classes = classes
            self.isMetered = isMetered
        }
    }

    /// `nil` where the policy has no such uplink any more.
    package var line: (UplinkNumber) -> Line? = { _ in nil }
    package var entries: (UplinkNumber) throws -> [ConntrackEntry] = { _ in [] }
    /// All that its interface has sent and received.
    package var interfaceBytes: (UplinkNumber) -> UInt64 = { _ in 0 }
    /// Why a drain is over before its time.
    package var onSettled: (UplinkNumber, String) -> Void = { _, _ in }

    private let loop: EventLoop
    private let pace: Int64
    /// A dump that takes long is made less often, so that it never fills the loop.
    private static let share: Int64 = 50
    private var drains: [UplinkNumber: Drain] = [:]
    private var followers: [ObjectIdentifier: (uplink: UplinkNumber, tell: Follower)] = [:]
    private var timer: EventLoop.Timer?

    /// `pace`: nanoseconds from one look to the next.
    package init(loop: EventLoop, pace: Int64 = 1_000_000_000) {
        self.loop = loop
        self.pace = pace
    }

    /// At start and after each change of the engine: begins to watch what began to drain, forgets what ended.
    package func follow(_ draining: [UplinkNumber: Beginning], limits: Failover.Drain) {
        for number in drains.keys where draining[number] == nil { drains[number] = nil }
        for (number, beginning) in draining
        where drains[number]?.classes != beginning.classes || drains[number]?.ledger.limits != limits {
            drains[number] = Drain(
                ledger: DrainLedger(
                    isMetered: beginning.isMetered, limits: limits, interfaceBytes: interfaceBytes(number)),
                classes: beginning.classes)
        }
        schedule(after: pace)
    }

    /// Tells `tell` at once and then each second how many flows are left, until there are none or `leave(id)`.
    package func follow(_ uplink: UplinkNumber, as id: ObjectIdentifier, _ tell: @escaping Follower) {
        followers[id] = (uplink, tell)
        look(at: uplink)
        schedule(after: pace)
    }

    package func leave(_ id: ObjectIdentifier) { followers[id] = nil }

    /// What was left on an uplink has been moved: who follows hears of it at once.
    package func ended(_ uplink: UplinkNumber) {
        if followers.values.contains(where: { $0.uplink == uplink }) { look(at: uplink) }
    }

    package func report(of uplink: UplinkNumber, until: Moment, now: Moment) -> UplinkReport.Drain {
        let finding = drains[uplink]?.finding
        return UplinkReport.Drain(
            flows: finding?.flows ?? 0, bytes: finding?.bytes ?? 0, left: max(until - now, .zero))
    }

    // MARK: looking

    private func schedule(after span: Int64) {
        if drains.isEmpty, followers.isEmpty {
            if let timer { loop.cancel(timer) }
            timer = nil
        } else if timer == nil {
            timer = loop.schedule(at: Clock.boottime() + span) { [weak self] in self?.look() }
        }
    }

    private func look() {
        timer = nil
        let begin = Clock.boottime()
        for number in Set(drains.keys).union(followers.values.map(\.uplink)).sorted() { look(at: number) }
        schedule(after: max(pace, (Clock.boottime() - begin) * Self.share))
    }

    private func look(at number: UplinkNumber) {
        let now = Moment(nanoseconds: Clock.boottime())
        guard let line = line(number) else {
            drains[number] = nil
            return tell(number, .failure(ControlRefusal(.refused, "the policy no longer has this uplink")))
        }
        let found: [ConntrackEntry]
        do {
            found = try entries(number)
        } catch {
            // A drain's time ends it all the same. But what cannot be counted must not be called empty.
            return tell(
                number,
                .failure(ControlRefusal(.tryAgain, "the flows on \(line.name) cannot be counted: \(error)")))
        }
        var settled: String?
        if line.drainsUntil == nil {
            drains[number] = nil
        } else if var drain = drains[number] {
            let finding = drain.ledger.look(
                at: found, interfaceBytes: interfaceBytes(number), now: now, isDraining: line.isOld)
            drain.finding = finding
            drains[number] = drain
            settled = finding.settled
        }
        let bytes = drains[number]?.finding?.bytes
        if let settled { onSettled(number, settled) }
        guard followers.values.contains(where: { $0.uplink == number }) else { return }
        let flows = found.count { $0.isAlive }
        let after = self.line(number) ?? line
        let isDone = flows == 0 || after.drainsUntil == nil && after.graceUntil == nil
        let left = after.drainsUntil.map { max($0 - now, .zero) } ?? .zero
        tell(
            number,
            .success(DrainReport(uplink: line.name, flows: flows, bytes: bytes, left: left, isDone: isDone)))
    }

    private func tell(_ number: UplinkNumber, _ news: Result<DrainReport, ControlRefusal>) {
        let isLast = if case .success(let report) = news { report.isDone } else { true }
        for (id, follower) in followers where follower.uplink == number {
            if isLast { followers[id] = nil }
            follower.tell(news)
        }
    }
}
