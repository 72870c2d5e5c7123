import ControlText
import JSONText
import LinuxIO
import Testing
import WANControl
import WANModel

@Suite("reports")
struct ReportTests {
    @Test(
        "a status survives the way",
        arguments: [Example.healthy, Example.failedOver, Example.nothingWorks, Example.longNames, Example.untranslated]
            + Example.sites)
    func status(report: StatusReport) throws {
        let line = report.json.text
        #expect(try StatusReport(json: try JSONValue(parsing: line)) == report)
    }

    @Test("other reports survive the way")
    func others() throws {
        #expect(try WhyReport(json: try JSONValue(parsing: Example.why.json.text)) == Example.why)
        let history = HistoryReport(events: Example.events)
        #expect(try HistoryReport(json: try JSONValue(parsing: history.json.text)) == history)
        for event in Example.events { #expect(try EventReport(json: event.json) == event) }
        let action = ActionReport(done: "done", warnings: ["a"], change: Example.failedOver.lastSwitch)
        #expect(try ActionReport(json: action.json) == action)
        let drain = DrainReport(uplink: "ftth", flows: 3, left: .milliseconds(1500), isDone: false)
        #expect(try DrainReport(json: drain.json) == drain)
        for probe in [
            ProbeReport(uplink: "ftth", target: "8.8.8.8", rttMilliseconds: 5.25),
            ProbeReport(uplink: "ftth", target: "8.8.8.8", problem: "no address"),
        ] { #expect(try ProbeReport(json: probe.json) == probe) }
    }

    /// As wanctl(1), "JSON", promises: more may be added, none renamed.
    @Test("the fields that scripts rely on are there, under their names, null where there is nothing")
    func fields() throws {
        func names(_ value: JSONValue?) -> [String] { value?.members?.map(\.name) ?? [] }
        let json = Example.failedOver.json
        #expect(
            names(json).starts(with: [
                "version", "node", "mode", "role", "selected", "policy", "uplinks", "last_switch",
            ]))
        #expect(names(json["policy"]) == ["path", "sha256", "loaded_at"])
        let uplinks = try #require(json["uplinks"]?.array)
        for uplink in uplinks {
            #expect(
                names(uplink).starts(with: [
                    "name", "interface", "ifindex", "state", "traffic", "since", "reason", "addresses", "gateway",
                    "rtt_ms", "jitter_ms", "loss", "targets", "speed_class", "keepalive", "bytes",
                ]))
            #expect(names(uplink["bytes"]) == ["rx", "tx", "probes"])
        }
        #expect(uplinks[0]["gateway"] == .null && uplinks[0]["speed_class"] == .null && uplinks[2]["ifindex"] == .null)
        #expect(names(uplinks[0]["targets"]?.array?.first) == ["address", "answered", "rtt_ms", "loss"])
        #expect(names(uplinks[2]["speed_class"]).starts(with: ["wanted", "confirmed", "via", "at"]))
        #expect(
            names(json["last_switch"]).starts(with: [
                "at", "from", "to", "cause", "manual", "detected_ms", "applied_ms", "conntrack_deleted", "proven",
            ]))
        #expect(json["uplinks"]?.array?.first?["since"] == "2026-11-20T20:48:00Z")
        #expect(Example.nothingWorks.json["last_switch"] == .null)
        #expect(json["role_reason"] == .null && json["virtual_address"] == .null && json["peers"] == [])
        let site = Example.master.json
        #expect(site["role_reason"] == "keepalived says so, with priority 253")
        #expect(site["virtual_address"] == ["address": "192.168.0.254", "holder": "main"])
        #expect(Example.twoMasters.json["virtual_address"]?["holder"] == .null)
        #expect(
            site["peers"] == [
                [
                    "node": "sub", "address": "192.168.0.2", "role": "backup", "health": 2, "selected": ["soracom"],
                    "uplinks": [["name": "soracom", "state": "up"]], "pinned": nil, "heard_seconds": 1.0,
                ]
            ])
        #expect(
            UplinkReport.State.allCases.map(\.rawValue) == [
                "absent", "proving", "up", "suspect", "degraded", "down", "disabled",
            ])
    }

    @Test("a newer daemon's further fields do no harm, a missing one is named by its path")
    func tolerant() throws {
        let json = Example.healthy.json
        guard case .object(var members) = json else { return }
        members.append(.init("weather", ["sky": "clear"]))
        #expect(try StatusReport(json: .object(members)) == Example.healthy)
        members.removeAll { $0.name == "node" }
        #expect(throws: ReportError(path: "status.node", problem: "is missing")) {
            try StatusReport(json: .object(members))
        }
        var uplink = Example.ftth.json
        guard case .object(var fields) = uplink else { return }
        for index in fields.indices where fields[index].name == "state" { fields[index].value = "asleep" }
        uplink = .object(fields)
        for index in members.indices where members[index].name == "uplinks" { members[index].value = [uplink] }
        members.append(.init("node", "router"))
        #expect(throws: ReportError(path: "status.uplinks[0].state", problem: "is no word this version knows")) {
            try StatusReport(json: .object(members))
        }
    }

    @Test("every field of every report may be of a wrong kind without a crash")
    func wrongKinds() {
        func variants(_ value: JSONValue) -> [JSONValue] {
            var all: [JSONValue] = [.null, .bool(true), .integer(.max), .number(-1e300), "x", [[]], [:]]
            switch value {
            case .object(let members):
                for index in members.indices {
                    for variant in variants(members[index].value) {
                        var changed = members
                        changed[index].value = variant
                        all.append(.object(changed))
                    }
                }
            case .array(let items):
                for index in items.indices {
                    for variant in variants(items[index]) {
                        var changed = items
                        changed[index] = variant
                        all.append(.array(changed))
                    }
                }
            default: break
            }
            return all
        }
        var read = 0
        for report in [Example.failedOver, Example.backup] {
            for variant in variants(report.json) {
                guard let report = try? StatusReport(json: variant) else { continue }
                read += 1
                #expect(!report.text(Example.style(width: 60)).isEmpty)
            }
        }
        #expect(read > 100)
        for variant in variants(Example.why.json) { _ = try? WhyReport(json: variant).text(Example.style(width: 40)) }
    }

    @Test("time is written and read as RFC 3339")
    func timestamps() {
        for text in [
            "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-11-21T00:00:00.250Z", "2000-03-01T12:00:00Z",
            "2100-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z",
        ] { #expect(Timestamp(text)?.text == text) }
        #expect(Timestamp("2026-11-21T00:00:00.2Z")?.unixMilliseconds == 1_795_219_200_200)
        #expect(Timestamp("2026-11-21T00:00:00.123456789Z")?.unixMilliseconds == 1_795_219_200_123)
        for wrong in [
            "", "2026-11-21", "2026-11-21T00:00:00", "2026-11-21T00:00:00+09:00", "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z", "2026-11-21T00:00:00.Z", "2026-11-21 00:00:00Z", "2O26-11-21T00:00:00Z",
        ] { #expect(Timestamp(wrong) == nil, "\(wrong)") }
    }
}
