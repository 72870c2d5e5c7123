import JSONText
import NetworkTypes
import WANDaemon
import WANEngine
import WANModel

/// The file of the stored state, which a card may have damaged: what is taken is the same when it is written and read again, and leads
/// to a start.
func readState(_ bytes: [UInt8]) {
    guard let json = try? JSONValue(parsing: bytes) else { return }
    let state = StoredState(json: json)
    precondition(StoredState(json: state.json).json.text == state.json.text, "the state changed on the way")
    precondition(Set(state.numbers.values).count == state.numbers.count, "two uplinks have one number")
    let now = Moment(nanoseconds: 1_000_000_000)
    for clock: Int64 in [.min, 0, 1_800_000_000, .max] {
        let memory = state.memory(now: now, unixSeconds: clock)
        precondition(memory.drains.allSatisfy { $0.until <= now + .seconds(86400) }, "a drain for years")
        _ = state.handOver(now: now, unixSeconds: clock)
        var again = state
        again.remember(memory, now: now, unixSeconds: clock)
    }
}

/// What a provider hands out as its name servers.
func readNameServers(_ bytes: [UInt8]) {
    let found = ResolverFile.servers(in: String(decoding: bytes, as: UTF8.self))
    precondition(found.servers.count <= ResolverFile.most, "more name servers than a resolver asks")
    precondition(found.spare == 0 || found.servers.count == ResolverFile.most, "some are spare, and there is room")
    let check = NameServerCheck(
        networks: [.init(IPPrefix(host: .v4(IPv4Address(192, 168, 0, 2))), interface: "eth0")],
        own: [.v4(IPv4Address(192, 168, 0, 1))])
    for server in found.servers where check.own.contains(server) {
        guard case .refused = check.verdict(on: server, of: UplinkNumber(rawValue: 1)) else {
            preconditionFailure("the router is its own name server")
        }
    }
}

/// What a dead daemon left to undo, in a file of whoever owns the directory: its words become paths.
func readLeavings(_ bytes: [UInt8]) {
    let record = UndoRecord(path: "/run/wanctl/leavings.json", text: bytes)
    if let file = record.trackFile {
        precondition(file.hasPrefix("/") && !file.utf8.contains(0), "a file that is none")
    }
    for name in record.silenced {
        // dev_valid_name(), net/core/dev.c.
        precondition((1...15).contains(name.utf8.count) && name != "." && name != "..", "no interface has that name")
        precondition(!name.utf8.contains { $0 == 0 || $0 == 0x2f }, "a name that leads elsewhere")
    }
    precondition(record.crashes >= 0, "less than no crash")
    let again = UndoRecord(path: record.path, text: Array(record.text.utf8))
    precondition(
        again.trackFile == record.trackFile && again.silenced == record.silenced, "a record changed on the way")
    precondition(again.crashes == record.crashes && again.text == record.text, "a record changed on the way")
}
