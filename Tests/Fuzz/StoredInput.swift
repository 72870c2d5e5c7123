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
