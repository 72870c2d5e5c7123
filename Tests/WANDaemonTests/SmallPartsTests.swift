import Glibc
import JSONText
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANEngine
import WANModel

@Suite("small parts of the daemon")
struct SmallPartsTests {
    @Test(
        "SHA-256 as FIPS 180-4 has it",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func digest(text: String, hex: String) { #expect(sha256(Array(text.utf8)) == hex) }

    @Test("the stored state survives a round trip, its pin by the wall clock")
    func stored() throws {
        var state = StoredState()
        state.numbers = ["ftth": UplinkNumber(rawValue: 1), "jcom": UplinkNumber(rawValue: 2)]
        var memory = EngineMemory()
        memory.disabled = [UplinkNumber(rawValue: 2)]
        memory.pin = Selection.Pin(
            uplink: UplinkNumber(rawValue: 1), until: Moment(nanoseconds: 7_200_000_000_000), strict: true, force: false
        )
        let now = Moment(nanoseconds: 3_600_000_000_000)
        state.remember(memory, now: now, unixSeconds: 1_000_000)
        let read = StoredState(json: try JSONValue(parsing: state.json.text))
        #expect(read == state)
        // After a reboot the boot clock starts anew; the pin still ends at the same time of day.
        let later = read.memory(now: .zero, unixSeconds: 1_000_600)
        #expect(later.pin?.until == Moment(nanoseconds: 3_000_000_000_000))
        #expect(later.disabled == [UplinkNumber(rawValue: 2)])
        #expect(read.memory(now: .zero, unixSeconds: 1_003_601).pin == nil)
    }

    private let now = Moment(nanoseconds: 50_000_000_000)

    /// What the operator said for an hour, and a drain that takes as long.
    private func withEnds(at now: Moment) -> (StoredState, EngineMemory, SiteRole.HandOver, end: Moment) {
        let ftth = UplinkNumber(rawValue: 1)
        var state = StoredState()
        state.numbers = ["ftth": ftth]
        let end = now + .seconds(3600)
        var memory = EngineMemory()
        memory.pin = Selection.Pin(uplink: ftth, until: end, strict: false, force: false)
        memory.drains = [EngineMemory.Drain(uplink: ftth, classKey: "", until: end)]
        return (state, memory, SiteRole.HandOver(uplink: "soracom", since: now, until: end), end)
    }

    @Test("a wall clock that jumps while the daemon runs moves no end; what is stored is right by the new one")
    func jumps() throws {
        var (state, memory, handOver, end) = withEnds(at: now)
        for clock in [1_000_000, 1_086_400, 913_600, 0, 1_795_219_200] as [Int64] {
            state.remember(memory, handOver: handOver, now: now, unixSeconds: clock)
            let read = StoredState(json: try JSONValue(parsing: state.json.text))
            let found = read.memory(now: now, unixSeconds: clock)
            #expect(found.pin?.until == end && found.drains.map(\.until) == [end])
            #expect(read.handOver(now: now, unixSeconds: clock) == handOver)
        }
    }

    @Test("a box that starts with its clock behind waits no longer than was left when it was last written")
    func clockBehind() throws {
        var (state, memory, handOver, _) = withEnds(at: now)
        state.remember(memory, handOver: handOver, now: now, unixSeconds: 1_795_219_200)
        let read = StoredState(json: try JSONValue(parsing: state.json.text))
        let start = Moment(nanoseconds: 7_000_000_000)
        for behind in [1, 3600, 86400, 1_795_219_200] as [Int64] {
            let clock = 1_795_219_200 - behind
            #expect(read.handOver(now: start, unixSeconds: clock)?.until == start + .seconds(3600))
            #expect(read.memory(now: start, unixSeconds: clock).pin?.until == start + .seconds(3600))
        }
        #expect(read.handOver(now: start, unixSeconds: 1_795_219_200 + 600)?.until == start + .seconds(3000))
    }

    @Test(
        "no time in the file is too odd to be read",
        arguments: [Int64.min, -1, 0, 1 << 33, .max], [Int64.min, -1, 0, 1_795_219_200, .max])
    func oddTimes(until: Int64, clock: Int64) {
        var state = StoredState()
        state.numbers = ["ftth": UplinkNumber(rawValue: 1)]
        state.pin = ("ftth", until, false, false)
        state.handOver = ("soracom", until)
        state.drains = [StoredState.Drain(uplink: "ftth", classKey: "", until: until)]
        let now = Moment(nanoseconds: 1_000_000_000)
        let memory = state.memory(now: now, unixSeconds: clock)
        #expect(memory.drains.allSatisfy { $0.until <= now + .seconds(86400) })
        let handOver = state.handOver(now: now, unixSeconds: clock)
        state.remember(memory, handOver: handOver, now: now, unixSeconds: clock)
        #expect(StoredState(json: state.json) == state)
    }

    @Test(
        "a damaged state is taken for what makes sense in it",
        arguments: [
            "{}", "[]", "null", #"{"numbers": {"a": 0, "b": 65, "c": "x"}}"#, #"{"pin": {"uplink": 3}}"#,
            #"{"numbers": 5, "disabled": {"a": 1}, "speed": [1]}"#,
        ])
    func damaged(text: String) throws {
        let state = StoredState(json: try JSONValue(parsing: text))
        #expect(state.numbers.isEmpty && state.pin == nil && state.disabled.isEmpty)
    }

    @Test("two names never get one number, whatever the file says")
    func twins() throws {
        let state = StoredState(json: try JSONValue(parsing: #"{"numbers": {"a": 1, "b": 1}}"#))
        #expect(state.numbers.count == 1)
    }

    @Test("what others remove is put back at once, then more slowly, and at once again after a quiet while")
    func pace() {
        var pace = RepairPace()
        var now = Moment.zero
        var waits: [Double] = []
        for _ in 0..<9 {
            let next = pace.next(at: now)
            waits.append((next - now).milliseconds)
            now = next
            pace.repaired(at: now)
        }
        #expect(waits == [0, 100, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
        now = now + .seconds(301)
        #expect(pace.next(at: now) == now)
    }

    @Test("a table is put back at its own pace: it does not wait for a route that somebody deletes again and again")
    func repairs() throws {
        var repairs = Repairs()
        var now = Moment.zero
        for _ in 0..<9 {
            repairs.need(.plane, because: ["a route"], at: now)
            now = try #require(repairs.next)
            #expect(repairs.take(at: now).map(\.part) == [.plane])
        }
        repairs.need(.plane, because: ["a route"], at: now)
        let route = now + .seconds(60)
        #expect(repairs.next == route && repairs.take(at: now).isEmpty)
        repairs.need(.table, because: ["the table"], at: now)
        #expect(repairs.next == now)
        let first = repairs.take(at: now)
        #expect(first.map(\.part) == [.table] && first.map(\.reasons) == [["the table"]])
        #expect(repairs.next == route, "the route waits as before")
        // Who goes on is not fought at full speed, and what waits can become urgent.
        for pause in [100, 1000, 2000, 4000] {
            repairs.need(.table, because: ["the table"], at: now)
            let next = try #require(repairs.next)
            #expect(next == now + .milliseconds(pause))
            now = next
            #expect(repairs.take(at: now).map(\.part) == [.table])
        }
        repairs.need(.table, because: ["it is changed"], at: now)
        repairs.need(.table, because: ["it is gone"], at: now + .milliseconds(10), within: .seconds(1))
        #expect(repairs.next == now + .milliseconds(1010))
        repairs.need(.table, because: ["it is gone"], at: now + .milliseconds(20), within: .seconds(1))
        #expect(repairs.take(at: now + .milliseconds(1010)).map(\.reasons) == [["it is changed", "it is gone"]])
        #expect(repairs.next == route)
    }

    @Test("the command line, and what is wrong with it")
    func options() throws {
        let options = try DaemonOptions(arguments: [
            "--policy=/p", "--socket", "/s", "--state-dir", "/d", "--node", "n",
        ])
        #expect(
            options.policy == "/p" && options.socket == "/s" && options.stateDirectory == "/d" && options.node == "n")
        #expect(try DaemonOptions(arguments: ["--check"]).action == .check)
        #expect(try DaemonOptions(arguments: ["--hand-over"]).action == .handOver)
        let trial = try DaemonOptions(arguments: ["--table", "--check"])
        #expect(trial.action == .check && trial.triesTable)
        for wrong in [["--policy"], ["--nope"], ["file"], ["--socket="], ["--table"]] {
            #expect(throws: DaemonOptions.UsageError.self) { try DaemonOptions(arguments: wrong) }
        }
    }
}
