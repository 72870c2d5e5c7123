internal import WANControl
internal import WANEngine
internal import WANModel

/// One switch as it goes: what led to it, when each step was done, and whether it was proven.
struct SwitchRecord {
    let decision: Decision
    let from: [String]
    let to: [String]
    let at: Timestamp
    let decidedAt: Moment
    var appliedAt: Moment?
    var flowsDeleted: Int?
    var flowsDoneAt: Moment?
    var proven: Bool?
    var provenAt: Moment?
    var proof: String?
    var failure: String?

    private var left: [String] { from.filter { !to.contains($0) } }

    func report(now: Moment) -> SwitchReport {
        func since(_ moment: Moment?) -> Double? { moment.map { ($0 - decidedAt).milliseconds } }
        var steps: [SwitchReport.Step] = []
        if let time = since(appliedAt) {
            steps.append(.init(name: "routes and NAT", milliseconds: time, detail: failure))
        }
        if let time = since(flowsDoneAt) {
            steps.append(.init(name: "conntrack", milliseconds: time, detail: "\(flowsDeleted ?? 0) entries deleted"))
        } else if decision.drains, !left.isEmpty {
            steps.append(
                .init(name: "conntrack", milliseconds: 0, detail: "flows on \(left.joined(separator: ", ")) may finish")
            )
        }
        if let time = since(provenAt) { steps.append(.init(name: "proof", milliseconds: time, detail: proof)) }
        return SwitchReport(
            at: at, ago: now - decidedAt, from: from, to: to, cause: decision.cause, manual: decision.manual,
            detectedMilliseconds: decision.faultSince.map { max((decidedAt - $0).milliseconds, 0) },
            appliedMilliseconds: since(appliedAt), conntrackDeleted: flowsDeleted ?? (decision.drains ? 0 : nil),
            proven: proven, steps: steps)
    }
}
