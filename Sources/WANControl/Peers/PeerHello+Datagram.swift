package import JSONText
internal import WANModel

/// A hello is one JSON object in one datagram:
///
///     {"node":"sub","site":"home","version":"0.1.0","policy":"b1946ac92492","pinned":null,"run":81,
///      "sequence":7,"role":"backup","health":2,"selected":["soracom"],"uplinks":{"soracom":"up"},"left_out":0}
extension PeerHello {
    /// The longest datagram, in bytes: with its headers it passes every link in one piece (IPv6's least MTU is 1280, RFC 8200
    /// section 5).
    package static let longestDatagram = 1200
    /// A name in a policy is not longer (`nodes`).
    private static let longestName = 63
    private static let mostUplinks = 64

    package var json: JSONValue {
        [
            "node": .string(node), "site": JSONValue(site), "version": .string(version), "policy": JSONValue(policy),
            "pinned": JSONValue(pinned), "run": .integer(run),
            "sequence": .integer(sequence), "role": .string(role.rawValue), "health": .whole(health),
            "selected": .texts(selected), "uplinks": .object(uplinks.map(Self.member)), "left_out": .whole(leftOut),
        ]
    }

    private static func member(_ uplink: Uplink) -> JSONValue.Member {
        JSONValue.Member(uplink.name, .string(uplink.state.rawValue))
    }

    /// The hello as it is sent: what does not fit of the uplinks, and of the selected ones, is left out from the end and counted.
    ///
    /// That makes it fit for every node and site that a policy may name.
    package var datagram: [UInt8] { datagram(atMost: Self.longestDatagram) }

    /// The same in fewer bytes.
    package func datagram(atMost limit: Int) -> [UInt8] {
        var fitting = self
        fitting.selected = []
        fitting.uplinks = []
        // Two more digits than "0" for the number of those left out.
        var room = limit - 2 - fitting.json.text.utf8.count
        /// Takes the room of an element and its comma; `false` where it is not there.
        func fits(_ list: JSONValue) -> Bool {
            let size = list.text.utf8.count - 2 + 1
            guard size <= room else { return false }
            room -= size
            return true
        }
        fitting.selected = Array(selected.prefix { fits([.string($0)]) })
        fitting.uplinks = Array(uplinks.prefix(Self.mostUplinks).prefix { fits(.object([Self.member($0)])) })
        let missing = selected.count - fitting.selected.count + uplinks.count - fitting.uplinks.count
        fitting.leftOut = min(leftOut + missing, 999)
        return Array(fitting.json.text.utf8)
    }

    /// Reads a datagram; members that this version does not know are let pass.
    package init(datagram: some Collection<UInt8>) throws(ReportError) {
        guard datagram.count <= Self.longestDatagram else {
            throw ReportError(path: "hello", problem: "is longer than \(Self.longestDatagram) bytes")
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: Array(datagram))
        } catch {
            throw ReportError(path: "hello", problem: "is not JSON: \(printable(error.problem))")
        }
        try self.init(json: value)
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "hello")
        self.init(
            node: try Self.name(reader), site: try reader.optionalText("site"), version: try reader.text("version"),
            policy: try reader.optionalText("policy"), pinned: try reader.optionalText("pinned"),
            run: try reader.integer("run"), sequence: try reader.integer("sequence"),
            role: try reader.choice("role", as: BoxRole.self), health: try Self.health(reader),
            selected: try reader.texts("selected"), uplinks: try Self.uplinks(reader),
            leftOut: try reader.optional("left_out", "count") {
                $0.integer.flatMap { (0...999).contains($0) ? Int($0) : nil }
            } ?? 0)
    }

    private static func name(_ reader: ReportReader) throws(ReportError) -> String {
        let name = try reader.text("node")
        guard (1...longestName).contains(name.utf8.count) else {
            throw ReportError(path: "hello.node", problem: "is no name of 1 to \(longestName) bytes")
        }
        return name
    }

    /// keepalived's own range of a track file's value (keepalived.conf(5), "Track files").
    private static func health(_ reader: ReportReader) throws(ReportError) -> Int {
        guard let health = Int(exactly: try reader.integer("health")), (-254...254).contains(health) else {
            throw ReportError(path: "hello.health", problem: "is not within -254 and 254")
        }
        return health
    }

    private static func uplinks(_ reader: ReportReader) throws(ReportError) -> [Uplink] {
        let members = try reader.optional("uplinks", "object") { $0.members } ?? []
        guard members.count <= mostUplinks else {
            throw ReportError(path: "hello.uplinks", problem: "are more than \(mostUplinks)")
        }
        var uplinks: [Uplink] = []
        for member in members {
            guard let state = member.value.string.flatMap({ UplinkReport.State(rawValue: $0) }) else {
                throw ReportError(
                    path: "hello.uplinks.\(printable(member.name))", problem: "is no state this version knows")
            }
            uplinks.append(Uplink(name: member.name, state: state))
        }
        return uplinks
    }
}
