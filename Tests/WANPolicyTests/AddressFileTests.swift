import NetworkTypes
import Testing
import WANModel
import WANPolicy

@Suite("files of addresses")
struct AddressFileTests {
    private let policy = minimal(
        "rules:\n  - {name: x, match: {destination: {file: lists/a.txt}}, order: [a]}\n"
            + "  - {name: y, match: {source: 10.0.0.1, destination: {file: lists/a.txt}}, order: [a]}\n")

    private func read(_ list: String, fileName: String = "/etc/wanctl/policy.yaml") throws(PolicyFaults) -> ReadPolicy {
        try PolicyReader.read(
            Array(policy.utf8), fileName: fileName, files: .of(["/etc/wanctl/lists/a.txt": list, "lists/a.txt": list]))
    }

    private func faults(_ list: String) -> [String] {
        do throws(PolicyFaults) {
            _ = try read(list)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test("comments, spaces, empty lines, CR LF, a byte order mark and a last line without its end")
    func format() throws {
        let list = "\u{feff}# hosts\r\n\r\n10.0.0.1\r\n\t 10.1.0.0/16   # a network\r\n10.0.0.2-10.0.0.9\n#\n0.0.0.7"
        let set = try #require(try read(list).policy.rules.first?.match.destination)
        #expect(set.ranges == [7...7, 0x0a00_0001...0x0a00_0009, 0x0a01_0000...0x0a01_ffff])
        #expect(set.file == "lists/a.txt")
    }

    @Test("the file is sought beside the policy, and read once")
    func search() throws {
        #expect(try read("10.0.0.1", fileName: "/etc/wanctl/policy.yaml").policy.rules.count == 2)
        #expect(try read("10.0.0.1", fileName: "policy.yaml").policy.rules.count == 2)
        #expect(throws: PolicyFaults.self) { try read("10.0.0.1", fileName: "/tmp/policy.yaml") }
        #expect(faults("home").count == 1)
    }

    @Test("an absolute name is taken as it is")
    func absolute() throws {
        let text = minimal("rules: [{name: x, match: {source: {file: /var/lib/list}}, order: [a]}]\n")
        let found = try PolicyReader.read(
            Array(text.utf8), fileName: "/etc/wanctl/policy.yaml", files: .of(["/var/lib/list": "10.0.0.1"]))
        #expect(found.policy.rules[0].match.source?.ranges == [0x0a00_0001...0x0a00_0001])
    }

    @Test("faults name the file and its line, behind those of the policy")
    func lines() {
        let list =
            "10.0.0.1\n  home\n10.0.0.1/8\n10.0.0.9-10.0.0.1 # back\n10.0.0.256\n10.0.0.01\n10.0.0.0/33\n10.0.0.1,\n"
        let file = "/etc/wanctl/lists/a.txt"
        #expect(
            faults(list) == [
                "\(file):2:3: \"home\" is no network; write it like 192.168.0.0/24",
                "\(file):3:1: 10.0.0.1/8 has bits beyond its prefix; did you mean 10.0.0.0/8?",
                "\(file):4:1: 10.0.0.9-10.0.0.1 begins behind its end; did you mean 10.0.0.1-10.0.0.9?",
                "\(file):5:1: \"10.0.0.256\" is no network; write it like 192.168.0.0/24",
                "\(file):6:1: \"10.0.0.01\" is no network; write it like 192.168.0.0/24",
                "\(file):7:1: \"10.0.0.0/33\" is no network; write it like 192.168.0.0/24",
                "\(file):8:1: \"10.0.0.1,\" is no network; write it like 192.168.0.0/24",
            ])
        let text = policy + "zzz: 1\n"
        do throws(PolicyFaults) {
            _ = try PolicyReader.read(Array(text.utf8), fileName: "q.yaml", files: .of(["lists/a.txt": "x"]))
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.map(\.file) == ["q.yaml", "lists/a.txt"])
        }
    }

    @Test("no file, no address, too many lines, too many bytes")
    func refusals() {
        func fault(_ files: [String: String]) -> [String] {
            do throws(PolicyFaults) {
                _ = try PolicyReader.read(Array(policy.utf8), fileName: "p", files: .of(files))
                return []
            } catch {
                return error.faults.map(\.description)
            }
        }
        #expect(
            fault([:]) == [
                "p:5:43: cannot read \"lists/a.txt\": No such file or directory; file names count from the policy's directory"
            ])
        #expect(
            fault(["lists/a.txt": "# nothing\n"]) == [
                "p:5:43: \"lists/a.txt\" holds no address; a line holds one, or a network, or a range"
            ])
        let most = String(repeating: "10.0.0.1\n", count: 65_536)
        #expect(fault(["lists/a.txt": most]) == [])
        #expect(
            fault(["lists/a.txt": most + "10.0.0.1\n"]) == [
                "lists/a.txt:65537:1: there are more lines than 65536; write networks in place of their addresses"
            ])
        #expect(
            fault(["lists/a.txt": String(repeating: "#", count: 4_000_001)]) == [
                "p:5:43: \"lists/a.txt\" is too large; at most 4MB are read"
            ])
    }

    @Test("the files of one policy have a limit together")
    func altogether() {
        let list = String(repeating: "10.0.0.1\n", count: 65_536)
        func text(_ count: Int) -> [UInt8] {
            let rules = (0..<count).map { "  - {name: r\($0), match: {source: {file: f\($0)}}, order: [a]}\n" }.joined()
            return Array(minimal("rules:\n" + rules).utf8)
        }
        let files = PolicyFiles.of(Dictionary(uniqueKeysWithValues: (0..<6).map { ("f\($0)", list) }))
        #expect(throws: Never.self) { try PolicyReader.read(text(4), files: files) }
        do throws(PolicyFaults) {
            _ = try PolicyReader.read(text(6), fileName: "p", files: files)
            Issue.record("it was taken")
        } catch {
            #expect(
                error.description
                    == "p:9:39: the files of this policy have more than 262144 lines; write networks in place of their addresses"
            )
        }
    }

    @Test("a hundred thousand lines of rubbish, or of addresses, are done with quickly")
    func hostile() {
        let clock = ContinuousClock()
        for line in ["rubbish", "10.0.0.1/", "::/0-", String(repeating: "9", count: 30), "\u{1b}[2J", "10.0.0.1", "::"]
        {
            var found: [String] = []
            let took = clock.measure { found = faults(String(repeating: line + "\n", count: 100_000)) }
            #expect(!found.isEmpty && found.count <= 101, "\(line)")
            #expect(!found.contains { $0.contains("\u{1b}") })
            #expect(took < .seconds(5), "\(line)")
        }
    }

    @Test("every cut and random bytes are read or refused", arguments: [UInt64.random(in: 1 ... .max)])
    func mutations(seed: UInt64) {
        print("seed of the address files: \(seed)")  // a crash would not tell it
        var random = SplitMix64(state: seed)
        let good = Array(
            "# x\n10.0.0.1\n10.0.0.0/8\r\n10.0.0.1-10.0.0.9 # y\n2001:db8::1\n255.255.255.255\n0.0.0.0/0".utf8)
        func readOrRefuse(_ bytes: [UInt8]) {
            let files = PolicyFiles { _, _ in .success(bytes) }
            do throws(PolicyFaults) {
                let found = try PolicyReader.read(Array(policy.utf8), files: files)
                #expect(found.policy.rules.allSatisfy { $0.match.destination != nil }, "seed \(seed)")
            } catch {
                #expect(error.faults.allSatisfy { $0.line > 0 && $0.column > 0 }, "seed \(seed)")
            }
        }
        for end in 0...good.count { readOrRefuse(Array(good[..<end])) }
        for _ in 0..<500 {
            var bytes = good
            for _ in 0..<4 {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] =
                    Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : Array("0129./-:# \n\r".utf8).randomElement(using: &random) ?? 0
            }
            readOrRefuse(bytes)
        }
    }
}
