import LinuxIO
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANPolicy

@Suite("the policy that is kept for a start whose policy file is faulty")
struct KeptPolicyTests {
    private let directory: TemporaryDirectory
    private let options: DaemonOptions
    private let good = """
        version: 1
        uplinks: {a: {interface: p}, b: {interface: q}}
        failover: {order: [a, b]}
        rules: [{name: x, match: {destination: {file: hosts.txt}}, order: [b]}]

        """

    init() throws {
        directory = try TemporaryDirectory()
        var options = DaemonOptions()
        options.policy = "\(directory.path)/policy.yaml"
        options.stateDirectory = directory.path
        options.node = "router"
        self.options = options
        try write(good)
        try Files.replace("\(directory.path)/hosts.txt", with: Array("192.0.2.7 # é\n".utf8))
    }

    private func write(_ policy: String) throws { try Files.replace(options.policy, with: Array(policy.utf8)) }
    private func keep(_ policy: KeptPolicy) throws { try Files.replace(keptPath, with: policy.bytes) }
    private var keptPath: String { "\(directory.path)/policy.kept" }

    private func kept(at seconds: Int64 = 1_795_219_200) throws -> KeptPolicy {
        try KeptPolicy(
            node: "router", path: options.policy, adoptedAt: Timestamp(unixMilliseconds: seconds * 1000),
            files: ["policy.yaml", "hosts.txt"].map { name in
                ReadFile(path: "\(directory.path)/\(name)", bytes: try Files.read("\(directory.path)/\(name)"))
            })
    }

    private func faults(_ options: DaemonOptions) -> [String] {
        do throws(ControlRefusal) {
            _ = try StartPolicy.find(options)
            return []
        } catch {
            return [error.reason] + error.details
        }
    }

    @Test("it reads back as it was written, and one that is cut or changed anywhere counts as none")
    func damage() throws {
        let kept = try kept()
        let bytes = kept.bytes
        #expect(KeptPolicy(parsing: bytes) == kept)
        for index in bytes.indices {
            #expect(KeptPolicy(parsing: Array(bytes[..<index])) == nil)
            var changed = bytes
            changed[index] ^= 1
            #expect(KeptPolicy(parsing: changed) == nil, "byte \(index)")
        }
        #expect(KeptPolicy(parsing: bytes + [10]) == nil)
    }

    @Test("a policy file in order is what the daemon starts with, whatever is kept")
    func inOrder() throws {
        #expect(try StartPolicy.find(options).substitute == nil)
        try keep(kept())
        #expect(try StartPolicy.find(options).substitute == nil)
    }

    @Test("a faulty, a missing or an unreadable one is replaced by what was kept, with the files of then")
    func faulty() throws {
        try keep(kept())
        Files.remove("\(directory.path)/hosts.txt")
        let missing = try StartPolicy.find(options)
        #expect(missing.substitute?.refusal.details.first?.contains("cannot read") == true)
        #expect(missing.substitute?.adoptedAt == Timestamp("2026-11-21T00:00:00Z"))
        try write("version: 1\n")
        #expect(try StartPolicy.find(options).substitute?.refusal.details.isEmpty == false)
        Files.remove(options.policy)
        #expect(try StartPolicy.find(options).substitute?.refusal.reason.contains("cannot read the policy") == true)
        try Files.makeDirectory(options.policy, mode: 0o755)
        #expect(try StartPolicy.find(options).substitute != nil)
    }

    @Test("the key of a site is kept with the rest: what stands in its file later does not count")
    func key() throws {
        try write(
            """
            version: 1
            uplinks: {a: {node: router, interface: p}, b: {node: sub, interface: q}}
            nodes: {router: {address: 10.0.0.1}, sub: {address: 10.0.0.2}}
            vrrp: {instance: V, interface: eth0, router-id: 1, address: 10.0.0.9/24, key: site.key}

            """)
        #expect(faults(options).last?.contains("the key of the site cannot be read: open(2)") == true)
        let trial = try LoadedPolicy.load(options.policy, node: "router", [:], isTrial: true)
        #expect(trial.key == nil && trial.warnings.last?.contains("LoadCredential=") == true, "\(trial.warnings)")
        let secret = String(repeating: "k", count: 32)
        let file = try directory.write(secret, to: "site.key", mode: 0o604)
        let loaded = try StartPolicy.find(options).loaded
        #expect(loaded.key?.secrets == [Array(secret.utf8)])
        #expect(loaded.warnings == ["\(file) holds secrets and can be read by everybody: run `chmod o-rwx \(file)`"])
        let now = Timestamp(unixMilliseconds: 1_795_219_200_000)
        try keep(KeptPolicy(node: "router", path: options.policy, adoptedAt: now, files: loaded.files))
        _ = try directory.write("short", to: "site.key", mode: 0o600)
        let substitute = try StartPolicy.find(options)
        #expect(substitute.substitute != nil && substitute.loaded.key == loaded.key)
        #expect(substitute.loaded.files == loaded.files)
    }

    @Test("without one of this box and this file that is whole and in order, the faults are told")
    func refused() throws {
        try keep(kept())
        try write("version: 1\n")
        #expect(faults(options).isEmpty)
        var other = options
        other.node = "sub"
        #expect(faults(other).count == 2)
        other = options
        other.policy += ".new"
        #expect(faults(other).first?.contains("cannot read the policy") == true)
        var policy = try kept()
        policy.files[0].bytes = Array("version: 7\n".utf8)
        try keep(policy)
        #expect(faults(options).count == 2)
        Files.remove(keptPath)
        #expect(faults(options).count == 2)
    }
}

@Suite("policy files that others could change are told of")
struct PolicyTrustTests {
    private func warnings(owner: UInt32 = 0, mode: UInt32 = 0o644, place: String = "/etc/wanctl/p") -> [String] {
        PolicyTrust.warnings(
            of: "/etc/wanctl/p", FileTrust(owner: owner, mode: mode, place: place, directory: "/etc/wanctl"), user: 990)
    }

    @Test("by its mode, its owner, and where a link leads")
    func sentences() {
        #expect(warnings() == [] && warnings(owner: 990, mode: 0o640) == [])
        #expect(warnings(place: "/etc/wanctl/v2/p") == [])
        #expect(
            warnings(mode: 0o664) == ["/etc/wanctl/p can be written by its group: run `chmod go-w /etc/wanctl/p`"])
        #expect(
            warnings(mode: 0o646) == ["/etc/wanctl/p can be written by everybody: run `chmod go-w /etc/wanctl/p`"])
        #expect(
            warnings(owner: 1000) == [
                "/etc/wanctl/p belongs to user 1000, who is neither root nor the daemon's: run `chown root /etc/wanctl/p`"
            ])
        #expect(
            warnings(place: "/etc/wanctl-old/p") == [
                "/etc/wanctl/p is a link to /etc/wanctl-old/p, out of its directory: who may write there rules this router"
            ])
    }

    @Test("of a file with a secret, everybody's reading is told too")
    func secret() {
        func warnings(_ mode: UInt32) -> [String] {
            PolicyTrust.warnings(
                ofSecret: "/etc/wanctl/k",
                FileTrust(owner: 990, mode: mode, place: "/etc/wanctl/k", directory: "/etc/wanctl"),
                user: 990)
        }
        #expect(warnings(0o400) == [] && warnings(0o640) == [])
        let sentence = "/etc/wanctl/k holds secrets and can be read by everybody: run `chmod o-rwx /etc/wanctl/k`"
        #expect(warnings(0o604) == [sentence] && warnings(0o666).last == sentence && warnings(0o666).count == 2)
    }

    @Test("as the system tells it")
    func system() throws {
        let (home, elsewhere) = (try TemporaryDirectory(), try TemporaryDirectory())
        let path = try elsewhere.write("x", to: "p", mode: 0o664)
        let here = try #require(FileTrust(path))
        #expect(here.mode == 0o664 && here.owner == FileTrust.ownUser && here.place == "\(here.directory)/p")
        try Programs.run("ln", ["-s", path, "\(home.path)/p"])
        let link = try #require(FileTrust("\(home.path)/p"))
        #expect(link.mode == 0o664 && link.place == here.place && link.directory != here.directory)
        #expect(FileTrust("\(home.path)/none") == nil)
    }
}
