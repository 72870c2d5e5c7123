import Glibc
import JSONText
import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

@Suite("full disks", .enabled(if: Needs.root, Needs.advice))
struct FullDiskTests {
    @Test(
        "what a full disk refused is written when it has room, though nothing else happens; no event is lost"
    )
    func room() throws {
        let world = try World()
        let disk = try LabDisk(at: "\(world.lab.directory)/disk", of: world.lab, holder: LabPlace.lan)
        let router = try RouterUnderTest.start(in: world.lab, policy: world.policy, state: disk.path)
        try router.waitUntil("all lines up") { $0.uplinks.allSatisfy { $0.state == .up } }
        try disk.fill()
        for uplink in [LabUplink.jcom, .soracom, .jcom] { try router.act(.failover(uplink: uplink.rawValue)) }
        try router.waitUntil("a warning") { status in
            status.warnings.contains { $0.contains("the state cannot be written") }
        }
        // The history has room for longer: SQLite puts its log into the database. `RecorderTests` fill it, too.
        for _ in 0..<20 { try router.act(.auto); try router.act(.failover(uplink: "jcom")) }
        disk.relieve()
        try router.waitUntil("no warning any more", atMost: .seconds(25)) { $0.warnings.isEmpty }
        let told = try router.history(1000)
        try router.restart()
        #expect(try router.history(1000).starts(with: told))
        let state = try JSONValue(parsing: try Files.text("\(disk.path)/state.json"))
        #expect(state["pin"]?["uplink"]?.string == "jcom")
    }
}
