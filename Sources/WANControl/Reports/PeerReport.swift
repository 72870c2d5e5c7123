internal import JSONText
internal import WANModel

/// Another box of the site in `wanctl status`: what it said of itself last, and when.
package struct PeerReport: Hashable, Sendable {
    /// A box speaks about once a second; whoever was not heard for longer than this is silent.
    package static let freshness = Duration.seconds(3)

    package var node: String
    package var address: String
    /// `nil` where it was never heard.
    package var role: StatusReport.Role?
    /// What stands in its track file (`NodeHealth`).
    package var health: Int?
    package var selected: [String] = []
    package var uplinks: [PeerWord.Uplink] = []
    /// The uplink that the operator wants, as that box was told.
    package var pinned: String?
    /// How long ago it was heard, by the clock that never jumps; `nil` for never.
    package var heard: Duration?

    package init(node: String, address: String) {
        self.node = node
        self.address = address
    }

    /// Heard lately.
    package var isPresent: Bool { heard.map { $0 <= Self.freshness } ?? false }
}

extension PeerReport {
    var json: JSONValue {
        [
            "node": .string(node), "address": .string(address), "role": JSONValue(role?.rawValue),
            "health": .whole(health), "selected": .texts(selected),
            "uplinks": .array(uplinks.map { ["name": .string($0.name), "state": .string($0.state.rawValue)] }),
            "pinned": JSONValue(pinned), "heard_seconds": .seconds(heard),
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(node: try reader.text("node"), address: try reader.text("address"))
        role = try reader.optional("role", "word this version knows") {
            $0.string.flatMap { StatusReport.Role(rawValue: $0) }
        }
        health = try reader.optional("health", "whole number") { $0.integer.flatMap { Int(exactly: $0) } }
        selected = try reader.texts("selected")
        uplinks = try reader.objects("uplinks") { (inner) throws(ReportError) in
            PeerWord.Uplink(
                name: try inner.text("name"), state: try inner.choice("state", as: UplinkReport.State.self))
        }
        pinned = try reader.optionalText("pinned")
        heard = try reader.optionalSeconds("heard_seconds")
    }
}

extension StatusReport {
    /// The address that the LAN has as its gateway (VRRP), and who has it as far as this box knows.
    package struct VirtualAddress: Hashable, Sendable {
        package var address: String
        /// This node's name or a peer's; `nil` where it is not known, or two say it is theirs.
        package var holder: String?

        package init(address: String, holder: String? = nil) {
            self.address = address
            self.holder = holder
        }

        var json: JSONValue { ["address": .string(address), "holder": JSONValue(holder)] }

        init(_ reader: ReportReader) throws(ReportError) {
            self.init(address: try reader.text("address"), holder: try reader.optionalText("holder"))
        }
    }
}
