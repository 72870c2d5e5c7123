import LinuxIO
import Testing

@Suite("clocks and times")
struct ClockTests {
    @Test("the boot clock never goes back")
    func boottime() {
        var last = Clock.boottime()
        for _ in 0..<1000 {
            let now = Clock.boottime()
            #expect(now >= last)
            last = now
        }
    }

    @Test(
        "UNIX time as RFC 3339 writes it, before 1970 too",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_795_219_200_123_456_789, "2026-11-21T00:00:00.123Z"),
            (-1_000_000, "1969-12-31T23:59:59.999Z"), (-1_000_000_000, "1969-12-31T23:59:59.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (951_827_696_500_000_000, "2000-02-29T12:34:56.500Z"),
        ] as [(Int64, String)])
    func rfc(nanoseconds: Int64, text: String) {
        #expect(rfc3339(nanoseconds, milliseconds: true) == text)
        let short = text.prefix(19) + "Z"
        #expect(rfc3339(nanoseconds) == short)
    }

    @Test("the ends of what nanoseconds count do not trap")
    func ends() {
        #expect(rfc3339(.max, milliseconds: true) == "2262-04-11T23:47:16.854Z")
        #expect(rfc3339(.min, milliseconds: true) == "1677-09-21T00:12:43.145Z")
    }
}
