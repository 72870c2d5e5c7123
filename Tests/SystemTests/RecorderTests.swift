import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the daemon and its recorder", .enabled(if: Needs.root, Needs.advice))
struct RecorderTests {
    private func loss(_ world: World) throws -> String? {
        try world.status().warnings.first { $0.hasPrefix("nothing is kept for a boot") }
    }

    @Test(
        "while the recorder stands still, as on a disk that hangs, the daemon decides, answers and starts; then all is kept"
    )
    func stuck() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.daemon.signalRecorder(SIGSTOP)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try world.wanctl("disable", "soracom").succeeded)
        #expect(try world.history().contains { $0.kind == "switch" && $0.change?.to == ["jcom"] })
        try world.lab.clearFaults()
        // A start does not wait for it either, and says what that means.
        try world.startDaemon()
        #expect(try world.uplink(.soracom).state == .disabled)
        try world.wait("it is told of", seconds: 10) {
            try loss(world)?.contains("it has not answered for 5 s") == true
        }
        try world.daemon.signalRecorder(SIGCONT)
        try world.wait("the warning ends", seconds: 20) { try loss(world) == nil }
        // What the run before it had told was on its way all the time.
        try world.startDaemon()
        #expect(try world.uplink(.soracom).state == .disabled)
        #expect(try world.history().contains { $0.kind == "switch" && $0.change?.to == ["jcom"] })
        #expect(try loss(world) == nil)
        _ = try client.stop()
    }

    @Test("a recorder that was killed and is back has what came meanwhile; one that stays away is told of")
    func gone() throws {
        let world = try World.running()
        try world.daemon.signalRecorder(SIGKILL)
        try world.wait("it is told of") { try loss(world)?.contains("nobody serves") == true }
        #expect(try world.wanctl("status").output.contains("wanctl-recorder does not serve"))
        #expect(try world.wanctl("disable", "soracom").succeeded)
        try world.daemon.restartRecorder()
        try world.wait("the warning ends", seconds: 20) { try loss(world) == nil }
        try world.daemon.kill()
        try world.startDaemon()
        #expect(try world.uplink(.soracom).state == .disabled)
        #expect(try world.history().contains { $0.kind == "operator" && $0.text.contains("soracom") })
    }
}
