import JSONText
import LinuxIO
import TestSupport
import Testing
import WANDaemon
import WANModel

@Suite("the two files that tie the daemon to keepalived")
struct KeepalivedFilesTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test("health is written once for each change, and again where somebody else changed it")
    func health() throws {
        let file = HealthFile(directory.path + "/run/health")
        #expect(try file.write(3))
        #expect(try Files.text(file.path) == "3")
        #expect(try !file.write(3))
        #expect(try file.write(NodeHealth.yield))
        #expect(try Files.text(file.path) == "-254")
        try Files.write("0\n", to: file.path)
        #expect(try file.write(NodeHealth.yield))
        Files.remove(file.path)
        #expect(try file.write(NodeHealth.yield))
        #expect(!Files.exists(file.path + ".new"))
    }

    @Test(
        "a box without a daemon is unfit, wherever its health stands",
        arguments: [("3", "0"), ("1", "0"), ("0", nil), ("-254", "0"), ("nonsense", nil)] as [(String, String?)])
    func handOver(found: String, left: String?) throws {
        let file = HealthFile(directory.path + "/elsewhere/health")
        try leave(HandOver.Place(file: file.path, mustGive: false))
        #expect(try HandOver.perform(stateDirectory: directory.path) == nil, "nobody ever said anything")
        #expect(!Files.exists(file.path))
        try file.write(3)
        try Files.write(found + "\n", to: file.path)
        let said = try HandOver.perform(stateDirectory: directory.path)
        #expect((said != nil) == (left != nil))
        #expect(try Files.text(file.path) == left ?? found)
    }

    @Test("one that has to give the address away does so for a second")
    func handOverGives() throws {
        let file = HealthFile(directory.path + "/health")
        try leave(HandOver.Place(file: file.path, mustGive: true))
        try file.write(3)
        var passed: [Duration] = []
        var meanwhile: Int?
        func pass(_ span: Duration) throws(SystemCallError) {
            #expect(file.found == NodeHealth.yield)
            passed.append(span)
            if let meanwhile { try file.write(meanwhile) }
        }
        #expect(try HandOver.perform(stateDirectory: directory.path, pass: pass) != nil)
        #expect(file.found == NodeHealth.none && passed == [.seconds(1)])
        // A daemon that came meanwhile has the last word.
        try file.write(3)
        meanwhile = 2
        #expect(try HandOver.perform(stateDirectory: directory.path, pass: pass) == nil)
        #expect(file.found == 2)
    }

    @Test("a box that is alone has nothing to say")
    func handOverAlone() throws {
        try leave(nil)
        #expect(try HandOver.perform(stateDirectory: directory.path) == nil)
        #expect(try HandOver.perform(stateDirectory: directory.path + "/none") == nil)
    }

    /// The state file as a daemon leaves it.
    private func leave(_ place: HandOver.Place?) throws {
        var state = StoredState()
        state.health = place
        try Files.replace(directory.path + "/state.json", with: Array(state.json.text.utf8))
    }

    @Test("notices are read, what is none is told and the rest goes on")
    func notices() throws {
        let path = directory.path + "/run/vrrp.fifo"
        var fifo = try VRRPFifo(path)
        let isReady = fifo.wasMade && fifo.isIntact
        #expect(isReady)
        try Files.write("INSTANCE \"VI_1\" BACKUP 100\nhello\nINSTANCE \"VI_1\" MASTER 253\n", to: path)
        let found = try fifo.notices()
        #expect(found.count == 3)
        #expect(try found[0].get().event == .backup)
        #expect(throws: VRRPNoticeError.self) { try found[1].get() }
        #expect(try found[2].get() == VRRPNotice(subject: .instance, name: "VI_1", event: .master, priority: 253))
        let more = try fifo.notices()
        #expect(more.isEmpty)
    }
}
