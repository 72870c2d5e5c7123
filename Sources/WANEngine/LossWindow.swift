package import WANModel

/// How many probes of the last while were answered and lost, in a fixed number of slices of time.
///
/// Lost is a view, not a verdict: a probe that is answered after all is moved from lost to answered (dpinger, NOTES.md).
package struct LossWindow: Hashable, Sendable {
    private struct Slice: Hashable, Sendable {
        var answered: Int32 = 0
        var lost: Int32 = 0
    }
    private static let sliceCount = 20
    private let sliceLength: Int64
    private var slices = [Slice](repeating: Slice(), count: sliceCount)
    /// The slice of time (moment / length) that the newest one stands for.
    private var newest: Int64 = 0

    package init(length: Duration) {
        sliceLength = max(length.nanoseconds / Int64(Self.sliceCount), 1)
    }

    package mutating func answered(at now: Moment) {
        slide(to: now)
        slices[slot(newest)].answered += 1
    }

    package mutating func lost(at now: Moment) {
        slide(to: now)
        slices[slot(newest)].lost += 1
    }

    /// A probe counted as lost was answered late.
    package mutating func foundAgain(at now: Moment) {
        slide(to: now)
        for age in 0..<Int64(Self.sliceCount) where slices[slot(newest - age)].lost > 0 {
            slices[slot(newest - age)].lost -= 1
            break
        }
        slices[slot(newest)].answered += 1
    }

    /// Probes decided within the window.
    package func decided(at now: Moment) -> Int {
        live(at: now).reduce(0) { $0 + Int($1.answered + $1.lost) }
    }

    /// Share of lost probes, 0…1; 0 while nothing is decided.
    package func loss(at now: Moment) -> Double {
        let live = live(at: now)
        let lost = live.reduce(0) { $0 + Int($1.lost) }
        let all = live.reduce(0) { $0 + Int($1.answered + $1.lost) }
        return all == 0 ? 0 : Double(lost) / Double(all)
    }

    private func slot(_ number: Int64) -> Int {
        let remainder = Int(number % Int64(Self.sliceCount))
        return remainder < 0 ? remainder + Self.sliceCount : remainder
    }

    private func live(at now: Moment) -> [Slice] {
        let current = now.nanoseconds / sliceLength
        let stale = max(0, current - newest)
        guard stale < Int64(Self.sliceCount) else { return [] }
        return (0..<(Int64(Self.sliceCount) - stale)).map { slices[slot(newest - $0)] }
    }

    private mutating func slide(to now: Moment) {
        let current = now.nanoseconds / sliceLength
        guard current > newest else { return }
        for step in 1...min(current - newest, Int64(Self.sliceCount)) {
            slices[slot(current - step + 1)] = Slice()
        }
        newest = current
    }
}
