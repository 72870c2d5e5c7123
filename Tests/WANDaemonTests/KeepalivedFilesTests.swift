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
