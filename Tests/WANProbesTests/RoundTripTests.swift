import Testing
import WANModel
import WANProbes

@Suite("RTT by two clocks")
struct RoundTripTests {
    private let sent = ClockReading(boottime: 1_000_000_000, realtime: 1_700_000_000_000_000_000)

    private func read(after elapsed: Int64, step: Int64 = 0) -> ClockReading {
        ClockReading(boottime: sent.boottime + elapsed, realtime: sent.realtime + elapsed + step)
    }

    @Test("the kernel's stamp tells, however late it is read")
    func stamped() {
        let trip = RoundTrip(sent: sent, stamp: sent.realtime + 5_000_000, read: read(after: 80_000_000))
        #expect(trip.rtt == .milliseconds(5))
        #expect(trip.receivedAt == Moment(nanoseconds: sent.boottime + 5_000_000))
    }

    @Test(
        "a wall clock that was set in between, forward or back, is not believed",
        arguments: [3_600_000_000_000, -3_600_000_000_000, 2_000_000, -2_000_000, 1_000_000_000_000_000_000] as [Int64])
    func stepped(step: Int64) {
        let before = RoundTrip(sent: sent, stamp: sent.realtime + 5_000_000, read: read(after: 6_000_000, step: step))
        let after = RoundTrip(
            sent: sent, stamp: sent.realtime + step + 5_000_000, read: read(after: 6_000_000, step: step))
        #expect(before.rtt == .milliseconds(6))
        #expect(after.rtt == .milliseconds(6))
        #expect(after.receivedAt == Moment(nanoseconds: sent.boottime + 6_000_000))
    }

    @Test("without a stamp the time of reading has to do")
    func unstamped() {
        #expect(RoundTrip(sent: sent, stamp: nil, read: read(after: 6_000_000)).rtt == .milliseconds(6))
    }

    @Test(
        "a stamp from before the probe or after its reading is held at the ends, or not believed",
        arguments: [
            (-100_000, 0), (6_100_000, 6_000_000), (-50_000_000, 6_000_000), (50_000_000, 6_000_000),
            (6_000_000, 6_000_000),
        ] as [(Int64, Int64)])
    func outside(stamp: Int64, expected: Int64) {
        let trip = RoundTrip(sent: sent, stamp: sent.realtime + stamp, read: read(after: 6_000_000))
        #expect(trip.rtt == .nanoseconds(expected))
    }

    @Test("two readings of the real clocks differ by no step")
    func reading() {
        let first = ClockReading.now()
        let second = ClockReading.now()
        #expect(second.boottime >= first.boottime)
        #expect(abs((second.realtime - second.boottime) - (first.realtime - first.boottime)) < 500_000)
    }
}
