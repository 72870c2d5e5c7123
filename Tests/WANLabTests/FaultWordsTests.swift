import NetworkTypes
import Testing
import WANLab

@Suite("The words of `wanctl-lab fault`")
struct FaultWordsTests {
    @Test(
        "are read",
        arguments: [
            ("blackhole", .set(.blackhole())), ("up-blackhole", .set(.blackhole(.up))),
            ("down-blackhole", .set(.blackhole(.down))), ("silence 150ms", .set(.silence(.milliseconds(150)))),
            ("loss 30%", .set(.loss(0.3))), ("delay 1.5s", .set(.delay(.milliseconds(1500)))),
            ("jitter 400us", .set(.jitter(.microseconds(400)))), ("rate 1mbit", .set(.rate(1_000_000))),
            ("drop-next 3 down", .set(.dropNext(3, .down))), ("carrier-off", .set(.carrierOff)),
            ("back 198.51.100.77", .set(.back(IPv4Address(198, 51, 100, 77)))), ("back", .set(.back())),
            ("clear", .clear),
        ] as [(String, FaultCommand)])
    func good(text: String, wanted: FaultCommand) throws {
        #expect(try FaultCommand(words: text.split(separator: " ").map(String.init)) == wanted)
    }

    @Test(
        "are refused",
        arguments: [
            "", "blackhole 3", "silence", "silence 150", "silence -1ms", "silence 2h", "silence 1e9s", "loss 30",
            "loss 101%", "loss %", "loss nan%", "delay .5s", "rate 0mbit", "drop-next 3", "drop-next 3 both",
            "drop-next x up", "back 1.2.3", "explode",
        ])
    func bad(text: String) {
        #expect(throws: LabError.self) { try FaultCommand(words: text.split(separator: " ").map(String.init)) }
    }
}
