import Testing
import WANModel

@Suite("what keepalived writes into its notify FIFO")
struct VRRPNoticeTests {
    /// Written by keepalived 2.2.7 for a start, a take-over, a lost priority and its end.
    @Test(
        "lines of keepalived 2.2.7",
        arguments: [
            (
                "INSTANCE \"VI_1\" BACKUP 100",
                VRRPNotice(subject: .instance, name: "VI_1", event: .backup, priority: 100)
            ),
            (
                "INSTANCE \"VI_1\" MASTER 253",
                VRRPNotice(subject: .instance, name: "VI_1", event: .master, priority: 253)
            ),
            ("INSTANCE \"VI_1\" FAULT 100", VRRPNotice(subject: .instance, name: "VI_1", event: .fault, priority: 100)),
            ("INSTANCE \"VI_1\" STOP 253", VRRPNotice(subject: .instance, name: "VI_1", event: .stop, priority: 253)),
            ("INSTANCE \"a b\" DELETED 0", VRRPNotice(subject: .instance, name: "a b", event: .deleted, priority: 0)),
            ("GROUP \"VG\" MASTER 0", VRRPNotice(subject: .group, name: "VG", event: .master, priority: 0)),
            (
                "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 200",
                VRRPNotice(subject: .instance, name: "VI_1", event: .heardLower, priority: 200)
            ),
        ])
    func lines(_ line: String, _ notice: VRRPNotice) throws {
        #expect(try VRRPNotice(line: line) == notice)
        #expect(notice.line == line)
    }

    @Test("only a master has the address")
    func master() {
        typealias Event = VRRPNotice.Event
        #expect(Event.allCases.filter { $0.isMaster == true } == [.master, .heardLower])
        #expect(Event.allCases.filter { $0.isMaster == nil } == [.masterPriority, .backupPriority])
    }

    @Test("every cut of a line is refused or says less, in words")
    func cuts() throws {
        let line = "INSTANCE \"VI_1\" MASTER 200"
        for length in 0..<line.count {
            do throws(VRRPNoticeError) {
                let notice = try VRRPNotice(line: String(line.prefix(length)))
                // 2 and 20 are priorities too.
                #expect(notice.event == .master && line.count - length <= 2)
            } catch {
                #expect(error.description.hasPrefix("keepalived's notice \u{201c}"))
            }
        }
    }

    @Test(
        "damage is told in words",
        arguments: [
            ("", "has no name in quotes"), ("INSTANCE VI_1 MASTER 1", "has no name in quotes"),
            ("VS \"x\" UP 1", "begins with neither"), ("INSTANCE  \"x\" MASTER 1", "begins with neither"),
            ("INSTANCE \"x\"", "has no state and priority"), ("INSTANCE \"x\" MASTER", "has no state and priority"),
            ("INSTANCE \"x\" MASTER 1 2", "has no state and priority"), ("INSTANCE \"\" MASTER 1", "has an empty name"),
            ("INSTANCE \"x\" master 1", "has an unknown state"), ("INSTANCE \"x\" MASTER 256", "from 0 to 255"),
            ("INSTANCE \"x\" MASTER -1", "from 0 to 255"), ("INSTANCE \"x\" MASTER +1", "from 0 to 255"),
        ])
    func damage(_ line: String, _ problem: String) {
        let error = #expect(throws: VRRPNoticeError.self) { try VRRPNotice(line: line) }
        #expect(error?.description.contains(problem) == true)
    }

    @Test("a message about a line is short and harmless")
    func hostile() {
        let error = VRRPNoticeError(line: "\u{1b}[2J" + String(repeating: "é", count: 1000), problem: "is odd")
        #expect(error.line.count == 80)
        #expect(error.line.hasPrefix("?[2J?"))
    }
}
