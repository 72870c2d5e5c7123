/// The mappings of a policy, named by where they stand in the file, and the keys of each.
///
/// The reader takes no others, and wanctl.yaml(5) describes these and nothing else: `ManualTests` compares the two.
package enum PolicySection: String, Hashable, Sendable, CaseIterable {
    case file = "the file"
    case lan
    case marks
    case node = "nodes.NAME"
    case vrrp
    case backup = "vrrp.backup"
    case uplink = "uplinks.NAME"
    case probe = "uplinks.NAME.probe"
    case confirm = "uplinks.NAME.probe.confirm"
    case degraded = "uplinks.NAME.probe.degraded"
    case keepalive = "uplinks.NAME.keepalive"
    case soracom = "uplinks.NAME.soracom"
    case failover
    case drain = "failover.drain"
    case rule = "rules[]"
    case match = "rules[].match"
    /// As `source` or `destination` of a match.
    case addressFile = "rules[].match.source"
    case forward = "forwards[]"
    case notifier = "notify[]"
    case mail = "notify[].mail"
    case webhook = "notify[].webhook"

    package var keys: [String] {
        switch self {
        case .file:
            [
                "version", "site", "lan", "marks", "nodes", "vrrp", "uplinks", "failover", "rules", "forwards",
                "notify",
            ]
        case .lan: ["interfaces", "forwarding"]
        case .marks: ["mask"]
        case .node: ["address"]
        case .vrrp:
            [
                "instance", "interface", "router-id", "address", "advertisement", "preempt", "preempt-delay",
                "unicast", "priority", "track-file", "notify-fifo", "key", "backup",
            ]
        case .backup: ["forwarding"]
        case .uplink: ["interface", "node", "gateway", "metered", "probe", "keepalive", "soracom", "dns"]
        case .probe:
            ["targets", "interval", "loss-interval", "confirm", "patience", "quorum", "fall", "rise", "degraded"]
        case .confirm: ["rounds", "spacing"]
        case .degraded: ["loss", "rtt", "jitter", "window"]
        case .keepalive: ["idle", "target"]
        case .soracom:
            ["sim", "imsi", "standby", "selected", "credentials", "via", "endpoint", "metadata-endpoint"]
        case .failover: ["order", "hold", "drain", "grace", "sticky", "own-sockets"]
        case .drain: ["default", "metered", "idle", "metered-bytes"]
        case .rule: ["name", "match", "order", "otherwise", "sticky", "drain"]
        case .match:
            ["source", "destination", "protocol", "port", "source-port", "interface", "dscp", "fwmark"]
        case .addressFile: ["file"]
        case .forward: ["uplinks", "protocol", "port", "to"]
        case .notifier: ["mail", "webhook"]
        case .mail: ["to", "from", "server", "on"]
        case .webhook: ["url", "on"]
        }
    }
}
