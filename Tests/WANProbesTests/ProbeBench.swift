import LinuxIO
import NetworkTypes
import WANModel
import WANProbes

/// A prober on its loop in the router's namespace, and what it told.
final class ProbeBench {
    let loop: EventLoop
    let prober: Prober
    var answers: [(uplink: UplinkNumber, answer: ProbeAnswer)] = []

    init() throws {
        loop = try EventLoop()
        prober = Prober(loop: loop)
        prober.onAnswers = { [weak self] in self?.answers += $0 }
    }

    func attach(_ netns: ProbeNetns, line: Int = 1) throws {
        let index = try netns.index(of: "line\(line)")
        try netns.router.inside { () throws(SystemCallError) in
            try prober.attach(
                uplink: UplinkNumber(rawValue: UInt8(line)), interface: "line\(line)", ifindex: index, mark: nil)
        }
    }

    /// Turns the loop until the claim holds, at most 2 s.
    func wait(until holds: () -> Bool) throws -> Bool {
        let deadline = Clock.boottime() + 2_000_000_000
        while !holds() {
            if Clock.boottime() > deadline { return false }
            try loop.turn(timeout: 20)
        }
        return true
    }

    func counters(_ line: UInt8 = 1) -> ProbeCounters { prober.counters(of: UplinkNumber(rawValue: line)) }
}

extension UplinkNumber {
    static let first = UplinkNumber(rawValue: 1)
    static let second = UplinkNumber(rawValue: 2)
}

extension IPAddress {
    static func peer(_ line: UInt8, host: UInt8 = 2) -> IPAddress { .v4(IPv4Address(10, line, 0, host)) }
}
