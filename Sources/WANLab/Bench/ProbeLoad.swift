internal import LinuxIO
internal import NetworkTypes
internal import WANModel
internal import WANProbes

/// A load of probes through `Prober`, with what an asker must know of each: whether it was answered before its loss interval was
/// over, and each target's smoothed RTT and variance (RFC 6298).
final class ProbeLoad {
    private let targets: [IPAddress]
    private let tickLength: Int64
    private let perTick: Int
    private let ticks: Int
    private let loop: EventLoop
    private let prober: Prober

    /// Probes of the last 16384, by sequence: answered or given up, and when they are given up.
    private var decided = [Bool](repeating: true, count: ProbeLoad.window)
    private var deadlines = [Int64](repeating: 0, count: ProbeLoad.window)
    private var oldest: UInt64 = 0
    private var next: UInt64 = 0
    private var smoothed: [Int64]
    private var variance: [Int64]
    private var requests: [ProbeRequest] = []
    private var tick = 0
    private var began: Int64 = 0
    private(set) var answered = 0
    private(set) var lost = 0
    private(set) var failed = 0

    private static let window = 16384
    private static let lossInterval: Int64 = 1_000_000_000
    private static let uplink = UplinkNumber(rawValue: 1)

    static func target(_ number: Int) -> IPv4Address { IPv4Address(bits: 10 << 24 | 99 << 16 | UInt32(number + 1)) }

    /// The probes are spread over each period in steps of 10 ms.
    init(targets count: Int, rate: Int, seconds: Int) throws(SystemCallError) {
        targets = (0..<count).map { .v4(Self.target($0)) }
        smoothed = Array(repeating: 0, count: count)
        variance = Array(repeating: 0, count: count)
        let ticksPerSecond = 100
        tickLength = 1_000_000_000 / Int64(ticksPerSecond)
        perTick = max(1, count * rate / ticksPerSecond)
        ticks = seconds * ticksPerSecond
        loop = try EventLoop()
        prober = Prober(loop: loop)
        // lo is number 1 in every namespace (net/core/dev.c, LOOPBACK_IFINDEX).
        try prober.attach(
            uplink: Self.uplink, interface: "lo", ifindex: InterfaceIndex(rawValue: 1), mark: nil)
        prober.onAnswers = { [unowned self] in take($0) }
    }

    func run() throws(SystemCallError) -> ProbeBenchmark.Sample {
        let cpu = Clock.processCPU()
        began = Clock.boottime()
        loop.schedule(at: began) { [unowned self] in turn() }
        try loop.run()
        return ProbeBenchmark.Sample(
            probes: ticks * perTick - failed, answered: answered,
            cpuMicroseconds: Double(Clock.processCPU() - cpu) / 1000,
            wallSeconds: Double(Clock.boottime() - began) / 1e9)
    }

    private func turn() {
        prober.drain()
        let now = Clock.boottime()
        judge(now)
        if tick == ticks {
            if oldest == next { return loop.stop() }
        } else {
            ask(now)
            tick += 1
        }
        loop.schedule(at: max(now, began + Int64(tick) * tickLength) + (tick == ticks ? tickLength : 0)) {
            [unowned self] in turn()
        }
    }

    private func ask(_ now: Int64) {
        requests.removeAll(keepingCapacity: true)
        for _ in 0..<perTick {
            let slot = Int(next) & (Self.window - 1)
            decided[slot] = false
            deadlines[slot] = now + Self.lossInterval
            requests.append(ProbeRequest(target: targets[Int(next) % targets.count], sequence: next))
            next += 1
        }
        let first = next - UInt64(perTick)
        prober.send(uplink: Self.uplink, requests) { place, _ in
            decided[(Int(first) + place) & (Self.window - 1)] = true
            failed += 1
        }
    }

    private func judge(_ now: Int64) {
        while oldest < next {
            let slot = Int(oldest) & (Self.window - 1)
            if !decided[slot] {
                if deadlines[slot] > now { return }
                decided[slot] = true
                lost += 1
            }
            oldest += 1
        }
    }

    private func take(_ answers: [(uplink: UplinkNumber, answer: ProbeAnswer)]) {
        for (_, answer) in answers {
            let slot = Int(answer.sequence) & (Self.window - 1)
            guard answer.sequence >= oldest, !decided[slot] else { continue }
            decided[slot] = true
            answered += 1
            // RFC 6298 section 2.3, in integers as Linux' TCP does.
            let target = Int(answer.sequence) % targets.count
            let rtt = answer.rtt.nanoseconds
            if smoothed[target] == 0 {
                smoothed[target] = rtt
                variance[target] = rtt / 2
            } else {
                variance[target] += (abs(smoothed[target] - rtt) - variance[target]) / 4
                smoothed[target] += (rtt - smoothed[target]) / 8
            }
        }
    }
}
