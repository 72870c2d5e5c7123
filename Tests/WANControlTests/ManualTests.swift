import JSONText
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANLab
import WANModel
import WANPolicy

/// The manual pages say what the programs do: what one of them has and the other has not is a failure here.
@Suite("manual pages", .serialized)
struct ManualTests {
    // MARK: wanctl.yaml(5)

    @Test("wanctl.yaml(5) describes every key of the reader, and nothing else")
    func keys() throws {
        let parts = try ManualPage("wanctl.yaml.5").parts(below: "KEYS")
        #expect(parts.map(\.title) == PolicySection.allCases.map(\.rawValue))
        for (part, section) in zip(parts, PolicySection.allCases) {
            #expect(part.items.map(\.name) == section.keys, "\(part.title)")
            for item in part.items { #expect(item.head.hasPrefix("Ic "), "\(item.head)") }
        }
    }

    @Test("wanctl(1) lists every kind of event, and no other")
    func events() throws {
        let items = try ManualPage("wanctl.1").parts.flatMap(\.items)
        let text = try #require(items.first { $0.name == "events[].kind" }?.text)
        var words = Set(text.split { !$0.isLetter }.map(String.init))
        words.subtract(["One", "word", "and", "for", "a", "line", "traffic", "the", "s", "choice", "daemon"])
        // "the operator's choice" would hide it if the kind were not listed.
        #expect(text.contains("auto and operator for"))
        #expect(words == Set(EventKind.allCases.map(\.rawValue)), "\(text)")
        #expect(UplinkState.allCases.filter { EventKind($0) == nil } == [.suspect])
    }

    /// What the page says of a key.
    private func text(_ section: PolicySection, _ key: String) throws -> String {
        let parts = try ManualPage("wanctl.yaml.5").parts(below: "KEYS")
        let item = parts.first { $0.title == section.rawValue }?.items.first { $0.name == key }
        return try #require(item, "\(section.rawValue) has no \(key)").text
    }

    @Test("its defaults are the program's")
    func defaults() throws {
        let probe = ProbeSettings()
        let failover = Failover()
        let soracom = SoracomSettings()
        let vrrp = VRRP(
            instance: "", interface: "", routerID: 1, address: try #require(.init("192.0.2.1/24")))
        let targets = probe.targets.map(\.description).joined(separator: ", ")
        let mask = String(MarkLayout().mask, radix: 16)
        let defaults: [(PolicySection, String, String)] = [
            (.lan, "forwarding", "\(LAN().forwarding)"),
            (.marks, "mask", "0x" + String(repeating: "0", count: 8 - mask.count) + mask),
            (.probe, "targets", targets), (.probe, "interval", probe.interval.policyText),
            (.probe, "loss-interval", "\(probe.lossInterval)"), (.probe, "confirm", "\(probe.confirm)"),
            (.probe, "quorum", "\(probe.quorum)"), (.probe, "fall", "\(probe.fall)"),
            (.probe, "rise", "\(probe.rise)"), (.degraded, "window", Degraded().window.policyText),
            (.keepalive, "target", "\(Keepalive.pong)"), (.soracom, "standby", soracom.standby),
            (.soracom, "selected", soracom.selected),
            (.soracom, "via", "[" + soracom.via.map(\.rawValue).joined(separator: ", ") + "]"),
            (.soracom, "metadata-endpoint", soracom.metadataEndpoint), (.failover, "hold", failover.hold.policyText),
            (.failover, "grace", failover.grace.policyText), (.failover, "own-sockets", failover.ownSockets.rawValue),
            (.drain, "default", failover.drain.default.policyText),
            (.drain, "metered", failover.drain.metered.policyText), (.drain, "idle", failover.drain.idle.policyText),
            (.vrrp, "advertisement", vrrp.advertisement.policyText), (.vrrp, "preempt", "\(vrrp.preempts)"),
            (.vrrp, "preempt-delay", vrrp.preemptDelay == .zero ? "0s" : vrrp.preemptDelay.policyText),
            (.vrrp, "unicast", "\(vrrp.isUnicast)"), (.vrrp, "priority", "\(vrrp.priority)"),
            (.vrrp, "track-file", vrrp.trackFile), (.vrrp, "notify-fifo", vrrp.notifyFIFO),
            (.backup, "forwarding", vrrp.backupForwarding.rawValue),
        ]
        for (section, key, value) in defaults {
            let text = try text(section, key) + " "
            let isSaid = [".", ","].contains { text.contains("Default: \(value)\($0) ") }
            #expect(isSaid, "\(section.rawValue).\(key): default \(value), but: \(text)")
        }
    }

    /// A value that is too much, and the bounds that the reader then names. `X` is a duration, `N` a number.
    private static let excesses: [(PolicySection, String, String)] = [
        (.probe, "interval", "probe: {interval: X}"), (.probe, "loss-interval", "probe: {loss-interval: X}"),
        (.probe, "patience", "probe: {patience: X}"), (.probe, "quorum", "probe: {quorum: N}"),
        (.probe, "fall", "probe: {fall: N}"), (.probe, "rise", "probe: {rise: N}"),
        (.confirm, "rounds", "probe: {confirm: {rounds: N}}"),
        (.confirm, "spacing", "probe: {confirm: {rounds: 1, spacing: X}}"),
        (.degraded, "loss", "probe: {degraded: {loss: 900%}}"), (.degraded, "rtt", "probe: {degraded: {rtt: X}}"),
        (.degraded, "jitter", "probe: {degraded: {jitter: X}}"),
        (.degraded, "window", "probe: {degraded: {loss: 1%, window: X}}"),
        (.keepalive, "idle", "keepalive: {idle: X, target: 1.1.1.1}"),
        (.soracom, "sim", "soracom: {sim: '1', via: [metadata]}"),
        (.soracom, "imsi", "soracom: {imsi: '1', via: [metadata]}"), (.failover, "hold", "failover: {hold: X}"),
        (.failover, "grace", "failover: {grace: X}"), (.failover, "sticky", "failover: {sticky: X}"),
        (.drain, "default", "failover: {drain: {default: X}}"),
        (.drain, "metered", "failover: {drain: {metered: X}}"), (.drain, "idle", "failover: {drain: {idle: X}}"),
        (.drain, "metered-bytes", "failover: {drain: {metered-bytes: 1000TB}}"),
        (.rule, "sticky", "rules: [{name: r, match: {protocol: tcp}, order: [a], sticky: X}]"),
        (.rule, "drain", "rules: [{name: r, match: {protocol: tcp}, order: [a], drain: X}]"),
        (.match, "dscp", "rules: [{name: r, match: {dscp: 64}, order: [a]}]"),
        (.vrrp, "router-id", "vrrp: {router-id: N}"), (.vrrp, "advertisement", "vrrp: {advertisement: X}"),
        (.vrrp, "preempt-delay", "vrrp: {preempt-delay: X}"), (.vrrp, "priority", "vrrp: {priority: N}"),
        (.file, "site", "site: '\(String(repeating: "s", count: 61))'"),
    ]

    @Test("its bounds are the reader's")
    func bounds() throws {
        for (section, key, value) in Self.excesses {
            let isOfUplink = section.rawValue.hasPrefix("uplinks.NAME.")
            let text =
                "version: 1\nuplinks:\n  a:\n    interface: ppp0\n"
                + (isOfUplink ? "    " : "") + value.replacing("X", with: "9999h").replacing("N", with: "99999") + "\n"
            var advice: [String] = []
            do throws(PolicyFaults) {
                _ = try PolicyReader.read(Array(text.utf8))
            } catch {
                advice = error.faults.filter { $0.problem.hasPrefix(key + " ") }.compactMap(\.advice)
            }
            let told = try #require(advice.first, "\(text)")
            let bounds =
                ["it may be ", "it has ", "write "].first { told.hasPrefix($0) }
                .map { told.dropFirst($0.count) }?.prefix(while: { $0 != "," }) ?? "?"
            // "write 1 to 60 characters without quotes, …"
            let said = bounds.split(separator: " without").first.map(String.init) ?? ""
            #expect(try self.text(section, key).contains(said), "\(section.rawValue).\(key): \(told)")
        }
    }

    @Test("its example is the one that is installed, and every policy of the pages is read without a word")
    func examples() throws {
        let examples = try ManualPage("wanctl.yaml.5").examples
        let installed = try Files.text("\(ManualPage.package)/Policies/one-box.yaml")
        #expect(examples.last?.split(separator: "\n") == installed.split(separator: "\n"))
        let whole = (examples + (try ManualPage("wanctl-site.7").examples)).filter { $0.hasPrefix("version: 1") }
        #expect(whole.count == 2)
        for policy in whole {
            let read = try PolicyReader.read(Array(policy.utf8))
            #expect(read.warnings.map(\.description) == [] && read.unsupported() == [])
        }
    }

    /// A whole policy with an example in its place.
    private func policy(with example: String) -> String {
        func indented(_ depth: Int) -> String {
            example.split(separator: "\n").map { String(repeating: " ", count: depth) + $0 + "\n" }.joined()
        }
        let uplinks = "uplinks:\n  ftth:\n    interface: ppp0\n"
        switch example.prefix(while: { $0 != ":" }) {
        case "probe", "keepalive", "soracom": return uplinks + indented(4)
        case "confirm", "degraded": return uplinks + "    probe:\n" + indented(6)
        case "drain": return uplinks + "failover:\n" + indented(2)
        case "match": return uplinks + "rules:\n  - name: r\n    order: [ftth]\n" + indented(4)
        case "- mail", "- webhook": return uplinks + "notify:\n" + indented(2)
        case "uplinks": return example
        default: return uplinks + example
        }
    }

    @Test("its short examples have no key in a place where the reader has none")
    func shortExamples() throws {
        let short = try ManualPage("wanctl.yaml.5").examples.filter { !$0.hasPrefix("version: 1") }
        #expect(short.count > 15)
        for example in short {
            do throws(PolicyFaults) {
                _ = try PolicyReader.read(Array(("version: 1\n" + policy(with: example)).utf8))
            } catch {
                // What an example leaves out, such as an uplink of an order, is no fault of the page.
                let faults = error.faults.map(\.problem)
                let strange = faults.filter { $0.hasPrefix("unknown key") || $0.contains("must ") }
                #expect(strange == [], "\(example)")
            }
        }
    }

    // MARK: wanctl(1), wanctl-lab(1)

    /// What swift-argument-parser tells of itself (`--experimental-dump-help`): verbs, and the options of each.
    private struct Verb {
        var name: String
        var abstract: String
        var options: Set<String>
        var inner: [Verb]

        init(_ json: JSONValue) throws {
            name = try #require(json["commandName"]?.string)
            abstract = json["abstract"]?.string ?? ""
            options = []
            for argument in json["arguments"]?.array ?? [] {
                for name in argument["names"]?.array ?? [] {
                    guard let kind = name["kind"]?.string, let word = name["name"]?.string else { continue }
                    // `wanctl help -help` is the parser's own.
                    if kind == "longWithSingleDash" { continue }
                    options.insert((kind == "long" ? "--" : "-") + word)
                }
            }
            inner = try (json["subcommands"]?.array ?? []).map { try Verb($0) }
        }

        /// Of the verb and of what is below it.
        var allOptions: Set<String> { inner.reduce(options) { $0.union($1.allOptions) } }
    }

    private func verbs(of program: String) throws -> [Verb] {
        let run = try ProgramRun.wanctl(
            ["--experimental-dump-help"], program: program, in: try ControlWorld())
        try #require(run.exitCode == 0, "\(run.error)")
        let json = try JSONValue(parsing: run.output)
        return try Verb(try #require(json["command"])).inner
    }

    /// Options that the page describes once for all verbs.
    private static let common: Set<String> = ["--help", "-h", "--socket", "--json"]

    @Test(
        "wanctl(1) and wanctl-lab(1) have every verb with its options, and no other",
        arguments: [("wanctl", "wanctl.1", "VERBS"), ("wanctl-lab", "wanctl-lab.1", "COMMANDS")])
    func verbs(program: String, page: String, title: String) throws {
        let page = try ManualPage(page)
        let items = page.items(of: title)
        let verbs = try verbs(of: program)
        #expect(Set(items.map(\.name)) == Set(verbs.map(\.name)))
        let common = program == "wanctl" ? Self.common : ["--help", "-h"]
        for verb in verbs {
            let item = try #require(items.first { $0.name == verb.name }, "\(verb.name)")
            #expect(item.options == verb.allOptions.subtracting(common), "\(program) \(verb.name)")
        }
        guard program == "wanctl" else { return }
        let told = Set(page.items(of: "DESCRIPTION").flatMap { ManualPage.options(in: ".It " + $0.head) })
        #expect(told == Self.common)
    }

    @Test("wanctl(1) has every exit code, and no other")
    func exitCodes() throws {
        let codes = try ManualPage("wanctl.1").items(of: "EXIT STATUS").map(\.head)
        #expect(codes == ["0"] + ControlRefusal.Code.allCases.map { "\($0.rawValue)" })
    }

    @Test("wanctl-lab(1) has every fault, every part of the bench, and no other")
    func faults() throws {
        let page = try ManualPage("wanctl-lab.1")
        let usage = FaultCommand.usage.split(separator: " | ").compactMap { $0.split(separator: " ").first }
        #expect(Set(page.items(of: "FAULTS").map(\.name)) == Set(usage.map(String.init)))
        let bench = try #require(page.items(of: "COMMANDS").first { $0.name == "bench" }).text
        func listed(_ names: [String]) -> String {
            names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
        }
        #expect(bench.contains(listed(Bench.Part.allCases.map(\.rawValue))))
        #expect(bench.contains(listed(SiteBench.Part.allCases.map(\.rawValue))))
    }

    // MARK: JSON

    /// The paths of all members: `uplinks[].rtt_ms`. A switch is described once, and what is null or empty has no members.
    private func paths(_ value: JSONValue, at path: String = "") -> Set<String> {
        let isSwitch = ["last_switch", "switch"].contains { path == $0 || path.hasSuffix(".\($0)") }
        if let members = value.members, !isSwitch || path.isEmpty {
            return members.reduce(into: []) {
                $0.formUnion(paths($1.value, at: (path.isEmpty ? "" : "\(path).") + $1.name))
            }
        }
        if let items = value.array, items.contains(where: { $0.members != nil }) {
            return items.reduce(into: []) { $0.formUnion(paths($1, at: "\(path)[]")) }
        }
        return [path]
    }

    @Test("wanctl(1) has every field of what --json prints, and no other")
    func fields() throws {
        var draining = Example.jcom
        draining.drain = .init(flows: 2, bytes: 1, left: .seconds(3))
        draining.rules = ["r"]
        var status = Example.failedOver
        status.uplinks.append(draining)
        let action = ActionReport(done: "done", change: Example.failedOver.lastSwitch)
        let drain = DrainReport(uplink: "ftth", flows: 3, left: .zero, isDone: true)
        let reports: [(String, [JSONValue])] = [
            (
                "status",
                [status.json, Example.longNames.json, Example.untranslated.json] + Example.sites.map(\.json)
            ),
            ("switch", [try #require(Example.failedOver.lastSwitch).json]), ("why", [Example.why.json]),
            ("history", [HistoryReport(events: Example.events).json]), ("rules", [Example.rules.json]),
            ("drain", [drain.json]), ("probe", [ProbeReport(uplink: "ftth", target: "8.8.8.8").json]),
            ("action", [action.json]),
        ]
        let parts = try ManualPage("wanctl.1").parts(below: "JSON")
        #expect(parts.map(\.title) == reports.map(\.0) + ["check"])
        for (name, examples) in reports {
            var found = examples.reduce(into: Set<String>()) { $0.formUnion(paths($1)) }
            // What is null in one example has members in another.
            found = found.filter { path in !found.contains { $0.hasPrefix("\(path).") || $0.hasPrefix("\(path)[]") } }
            let items = parts.first { $0.title == name }?.items ?? []
            let told = items.map(\.name)
            #expect(Set(told) == found, "\(name)")
            #expect(told.count == found.count, "\(name) has one twice")
        }
    }

    @Test("wanctl(1) names the states and what check --json prints")
    func words() throws {
        let page = try ManualPage("wanctl.1")
        let status = page.items(of: "status")
        func text(_ name: String) -> String { status.first { $0.name == name }?.text ?? "" }
        for state in UplinkReport.State.allCases { #expect(text("uplinks[].state").contains(state.rawValue)) }
        for traffic in UplinkReport.Traffic.allCases { #expect(text("uplinks[].traffic").contains(traffic.rawValue)) }
        for role in BoxRole.allCases { #expect(text("role").contains(role.rawValue)) }
        let world = try ControlWorld()
        let file = "\(ManualPage.package)/Policies/two-boxes.yaml"
        let run = try ProgramRun.wanctl(["check", "--json", file], in: world)
        let names = try JSONValue(parsing: run.output).members?.map(\.name) ?? []
        let heads = page.items(of: "check").flatMap { $0.head.split(separator: " ") }.map(String.init)
        #expect(Set(heads).subtracting(["Va", ","]) == Set(names))
    }

    // MARK: wanctld(8)

    @Test("wanctld(8) has every option of the usage, and no other")
    func daemon() throws {
        let page = try ManualPage("wanctld.8")
        let told = Set(page.items(of: "DESCRIPTION").flatMap { ManualPage.options(in: ".It " + $0.head) })
        let words = DaemonOptions.usage.split(whereSeparator: { " []\n,".contains($0) })
        let usage = Set(words.filter { $0.hasPrefix("--") }.map(String.init))
        #expect(usage.contains("--table"))
        // Not in the usage, since these print it, and the version.
        let silent: Set<String> = ["--help", "-h", "--version"]
        #expect(told == usage.union(silent))
        for option in silent { _ = try DaemonOptions(arguments: [option]) }
        for option in ["--policy", "--socket", "--state-dir", "--courier-socket"] {
            let item = page.items(of: "DESCRIPTION").first {
                $0.options.contains(option) && $0.head.contains(option.dropFirst(2))
            }
            let defaults = DaemonOptions()
            let path = [
                "--policy": defaults.policy, "--socket": defaults.socket, "--state-dir": defaults.stateDirectory,
                "--courier-socket": defaults.courierSocket,
            ]
            #expect(item?.text.hasSuffix("Default: \(path[option] ?? "") .") == true, "\(option)")
        }
    }

    @Test("wanctl-courier(8) has every option of the usage, and no other")
    func courier() throws {
        let page = try ManualPage("wanctl-courier.8")
        let told = Set(page.items(of: "DESCRIPTION").flatMap { ManualPage.options(in: ".It " + $0.head) })
        let run = try TestSupport.Command.run(["sh", "-c", "! \"$0\" --what 2>&1", try Programs.path("wanctl-courier")])
        let words = run.split(whereSeparator: { " []\n,".contains($0) })
        #expect(told == Set(words.filter { $0.hasPrefix("--") && $0 != "--what" }.map(String.init)))
        #expect(told.contains("--listen"))
    }

    // MARK: all

    @Test("every page that another one names is there, or of another program")
    func references() throws {
        let pages = [
            "wanctl.1", "wanctld.8", "wanctl-courier.8", "wanctl-recorder.8", "wanctl-lab.1", "wanctl.yaml.5",
            "wanctl-site.7",
        ]
        for page in pages {
            for line in try ManualPage.source(page).split(separator: "\n") where line.hasPrefix(".Xr wanctl") {
                let words = line.split(separator: " ")
                #expect(pages.contains("\(words[1]).\(words[2])"), "\(page): \(line)")
            }
        }
    }
}
