package import JSONText
package import WANModel

/// All that `wanctl status` shows.
///
/// `json` has the fields that scripts rely on under the names that wanctl(1), "JSON", gives them, null where there is
/// nothing to say, and a few more behind them. Spans that end in `seconds` come from the clock that never jumps; times are
/// wall-clock time and may be odd on a router that booted without one.
package struct StatusReport: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable { case auto, manual }

    package struct PolicyFile: Hashable, Sendable {
        package var path: String
        package var sha256: String
        package var loadedAt: Timestamp

        package init(path: String, sha256: String, loadedAt: Timestamp) {
            self.path = path
            self.sha256 = sha256
            self.loadedAt = loadedAt
        }
    }

    /// The operator's choice, while `mode` is manual.
    package struct Pin: Hashable, Sendable {
        package var uplink: String
        /// `nil`: until somebody ends it.
        package var until: Timestamp?
        package var strict: Bool

        package init(uplink: String, until: Timestamp? = nil, strict: Bool = false) {
            self.uplink = uplink
            self.until = until
            self.strict = strict
        }
    }

    package var version: String
    package var node: String
    package var mode: Mode
    package var role: BoxRole
    /// Names of the uplinks that new traffic takes; empty only before the first choice.
    package var selected: [String]
    package var policy: PolicyFile
    /// In the order of the policy.
    package var uplinks: [UplinkReport]
    package var lastSwitch: SwitchReport?
    package var pinned: Pin?
    package var startedAt: Timestamp?
    /// What somebody should look at, one sentence each; empty when all is well.
    package var warnings: [String]
    /// `nil` while our nft table is in force as it should be. `warnings` has its sentence, too.
    package var tableFault: TableFault?
    /// The site's name, as the policy has it.
    package var site: String?
    /// Why the role is what it is, without the role; only for a box of a site.
    package var roleReason: String?
    package var virtualAddress: VirtualAddress?
    /// The other boxes of the site, in the order of the policy.
    package var peers: [PeerReport]

    package init(
        version: String, node: String, mode: Mode = .auto, role: BoxRole = .alone, selected: [String],
        policy: PolicyFile,
        uplinks: [UplinkReport], lastSwitch: SwitchReport? = nil, pinned: Pin? = nil, startedAt: Timestamp? = nil,
        warnings: [String] = [], tableFault: TableFault? = nil, site: String? = nil, roleReason: String? = nil,
        virtualAddress: VirtualAddress? = nil, peers: [PeerReport] = []
    ) {
        self.version = version
        self.node = node
        self.mode = mode
        self.role = role
        self.selected = selected
        self.policy = policy
        self.uplinks = uplinks
        self.lastSwitch = lastSwitch
        self.pinned = pinned
        self.startedAt = startedAt
        self.warnings = warnings
        self.tableFault = tableFault
        self.site = site
        self.roleReason = roleReason
        self.virtualAddress = virtualAddress
        self.peers = peers
    }
}

extension StatusReport {
    package var json: JSONValue {
        [
            "version": .string(version), "node": .string(node), "mode": .string(mode.rawValue),
            "role": .string(role.rawValue), "selected": .texts(selected),
            "policy": [
                "path": .string(policy.path), "sha256": .string(policy.sha256), "loaded_at": .time(policy.loadedAt),
            ],
            "uplinks": .array(uplinks.map(\.json)), "last_switch": lastSwitch?.json ?? .null,
            "pinned": pinned.map {
                ["uplink": .string($0.uplink), "until": .time($0.until), "strict": .bool($0.strict)]
            } ?? .null,
            "started_at": .time(startedAt), "warnings": .texts(warnings),
            "table_fault": tableFault?.json ?? .null,
            "site": JSONValue(site), "role_reason": JSONValue(roleReason),
            "virtual_address": virtualAddress?.json ?? .null, "peers": .array(peers.map(\.json)),
        ]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "status")
        version = try reader.text("version")
        node = try reader.text("node")
        mode = try reader.choice("mode", as: Mode.self)
        role = try reader.choice("role", as: BoxRole.self)
        selected = try reader.texts("selected")
        let file = try reader.object("policy") { (inner) throws(ReportError) in
            PolicyFile(
                path: try inner.text("path"), sha256: try inner.text("sha256"), loadedAt: try inner.time("loaded_at"))
        }
        guard let file else { throw ReportError(path: "status.policy", problem: "is missing") }
        policy = file
        uplinks = try reader.objects("uplinks") { (inner) throws(ReportError) in try UplinkReport(inner) }
        lastSwitch = try reader.object("last_switch") { (inner) throws(ReportError) in try SwitchReport(inner) }
        pinned = try reader.object("pinned") { (inner) throws(ReportError) in
            Pin(
                uplink: try inner.text("uplink"), until: try inner.optionalTime("until"),
                strict: try inner.optionalFlag("strict") ?? false)
        }
        startedAt = try reader.optionalTime("started_at")
        warnings = try reader.texts("warnings")
        tableFault = try reader.object("table_fault") { (inner) throws(ReportError) in try TableFault(inner) }
        site = try reader.optionalText("site")
        roleReason = try reader.optionalText("role_reason")
        virtualAddress = try reader.object("virtual_address", VirtualAddress.init)
        peers = try reader.objects("peers") { (inner) throws(ReportError) in try PeerReport(inner) }
    }
}

extension JSONValue {
    static func texts(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
    static func time(_ value: Timestamp?) -> JSONValue { value.map { .string($0.text) } ?? .null }
    static func seconds(_ value: Duration?) -> JSONValue { value.map { .number($0.reportSeconds) } ?? .null }
    static func whole(_ value: (some BinaryInteger)?) -> JSONValue {
        value.map { .integer(Int64(clamping: $0)) } ?? .null
    }
}
