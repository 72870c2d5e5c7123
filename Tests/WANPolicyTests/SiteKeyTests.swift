import LinuxIO
import TestSupport
import Testing
import WANPolicy

@Suite("the key of a site")
struct SiteKeyTests {
    private static let secret = String(repeating: "0f", count: 16)
    private static let longer = String(repeating: "Zz~!", count: 16)

    @Test("one secret or two, whatever ends the lines")
    func good() throws {
        let (one, two) = (Array(Self.secret.utf8), Array(Self.longer.utf8))
        #expect(try SiteKey(parsing: one).secrets == [one])
        #expect(try SiteKey(parsing: one + [10]).secrets == [one])
        #expect(try SiteKey(parsing: one + [13, 10, 10] + two + [13, 10]).secrets == [one, two])
    }

    @Test(
        "anything else says what is wrong",
        arguments: [
            ("", "is empty"), ("\n\r\n", "is empty"),
            (
                String(repeating: "a", count: 31) + "\n",
                "has 31 characters in line 1, and a secret has 32 or more"
            ),
            (secret + "\nshort", "has 5 characters in line 2, and a secret has 32 or more"),
            (
                secret + " \n",
                "has something else than printable ASCII without spaces in line 1"
            ),
            (
                String(repeating: "é", count: 32),
                "has something else than printable ASCII without spaces in line 1"
            ),
            (
                String(repeating: secret + "\n", count: 3),
                "has 3 secrets, and there is one, or two while it is changed"
            ),
        ])
    func bad(text: String, problem: String) {
        let error = #expect(throws: SiteKey.Damage.self) { try SiteKey(parsing: Array(text.utf8)) }
        #expect(error?.problem == problem)
    }

    /// A policy in a directory of its own, with what is wrong with its key by the word of the daemon and of who only checks.
    private struct Place {
        let directory: TemporaryDirectory
        var environment: [String: String] = [:]

        init() throws { directory = try TemporaryDirectory() }

        func policy(_ key: String) throws -> ReadPolicy {
            let text = """
                version: 1
                uplinks: {a: {node: m, interface: p}, b: {node: s, interface: p}}
                nodes: {m: {address: 10.0.0.1}, s: {address: 10.0.0.2}}
                vrrp: {instance: V, interface: eth0, router-id: 1, address: 10.0.0.9/24, key: \(key)}

                """
            return try PolicyReader.read(Array(text.utf8), fileName: "\(directory.path)/policy.yaml")
        }

        func fault(_ key: String) throws -> String? {
            let read = try policy(key)
            do throws(PolicyFaults) {
                _ = try read.siteKey(environment)
                return nil
            } catch {
                return error.description.replacing("\(directory.path)/", with: "")
            }
        }

        func secrets(_ key: String) throws -> [[UInt8]]? { try policy(key).siteKey(environment)?.key.secrets }
    }

    @Test("a path is a path; a name is a systemd credential, else a file beside the policy")
    func places() throws {
        var place = try Place()
        let (one, two) = (Array(Self.secret.utf8), Array(Self.longer.utf8))
        let beside = try place.directory.write(Self.secret, to: "site.key", mode: 0o600)
        let credentials = try TemporaryDirectory()
        place.environment["CREDENTIALS_DIRECTORY"] = credentials.path
        #expect(try place.secrets("site.key") == [one], "the unit gives none of that name")
        _ = try credentials.write(Self.longer, to: "site.key", mode: 0o600)
        #expect(try place.secrets("site.key") == [two])
        #expect(try place.secrets(beside) == [one])
    }

    @Test("a file that is missing, no file, too long or damaged is a fault of the policy, with what to do")
    func faults() throws {
        let place = try Place()
        let advice = "make a secret by `openssl rand -hex 32`, and give every box the same file"
        #expect(
            try place.fault("site.key")
                == "policy.yaml:4:74: the key of the site cannot be read: open(2) site.key: No such file or directory; \(advice)"
        )
        try Files.makeDirectory("\(place.directory.path)/site.key", mode: 0o755)
        #expect(
            try place.fault("site.key")
                == "policy.yaml:4:74: \"\(place.directory.path)/site.key\", the key of the site, is no regular file; \(advice)"
                .replacing("\(place.directory.path)/", with: ""))
        _ = try place.directory.write(String(repeating: "a", count: 5000), to: "long", mode: 0o600)
        #expect(try place.fault("long")?.contains("\"long\", the key of the site, is longer than 4096 bytes") == true)
        _ = try place.directory.write("secret", to: "short", mode: 0o600)
        #expect(
            try place.fault("short")
                == "policy.yaml:4:74: \"short\", the key of the site, has 6 characters in line 1, and a secret has 32 or more; \(advice)"
        )
    }

    @Test("who only checks a policy is told of a credential that the unit has to give, and that is no fault")
    func unseen() throws {
        let place = try Place()
        let unseen = try place.policy("site.key").unseenKey(place.environment)
        #expect(unseen?.severity == .warning && unseen?.advice?.contains("LoadCredential=") == true)
        #expect(try place.policy("/nowhere/site.key").unseenKey(place.environment) == nil)
        _ = try place.directory.write("short", to: "site.key", mode: 0o600)
        #expect(try place.policy("site.key").unseenKey(place.environment) == nil)
    }

    @Test("a key is a path or a name", arguments: ["keys/site", "\"/etc/../x\"", ".x", "\"/a b\""])
    func names(key: String) throws {
        let place = try Place()
        let error = #expect(throws: PolicyFaults.self) { try place.policy(key) }
        #expect(error?.faults.first?.problem.hasPrefix("key ") == true)
    }
}
