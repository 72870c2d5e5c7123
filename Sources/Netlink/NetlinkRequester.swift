internal import CMnl
internal import Glibc
package import NetworkTypes
package import PacketWire

/// Questions and changes to rtnetlink(7), one after the other; what ip(8) does, without the process.
package struct NetlinkRequester: ~Copyable {
    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket.open(bus: NETLINK_ROUTE, receiveBuffer: 4 << 20, purpose: "open rtnetlink")
    }

    /// Under which number our changes come back in `KernelEvent.port`.
    package var port: UInt32 { socket.port }

    /// Sends the requests in order, many to a datagram, and returns what became of each.
    ///
    /// A refused request does not keep the later ones from being carried out. Throws only where the kernel could not be
    /// asked or did not answer; what was carried out until then is not known.
    package mutating func perform(_ requests: [RouteRequest]) throws(NetlinkError) -> [NetlinkOutcome] {
        var outcomes: [NetlinkOutcome] = []
        outcomes.reserveCapacity(requests.count)
        for part in requests.slices(of: Self.batch) { outcomes += try perform(part) }
        return outcomes
    }

    /// One change; a refusal is thrown.
    @discardableResult
    package mutating func perform(_ request: RouteRequest) throws(NetlinkError) -> NetlinkOutcome {
        let outcomes = try perform([request][...])
        if let error = outcomes.first?.error { throw error }
        return outcomes.first ?? .alreadySo
    }

    private mutating func perform(_ requests: ArraySlice<RouteRequest>) throws(NetlinkError) -> [NetlinkOutcome] {
        let verdicts = try socket.exchange(
            requests, for: requests.count == 1 ? "\(requests[requests.startIndex])" : "\(requests.count) ip requests"
        ) { (request, datagram, sequence) in request.write(into: &datagram, sequence: sequence) }
        return zip(requests, verdicts).map { request, verdict in
            guard verdict.errno != 0 else { return .done }
            if request.isFulfilled(by: verdict.errno) { return .alreadySo }
            return .refused(NetlinkError("\(request)", verdict))
        }
    }

    /// How many requests share a datagram: their answers fit the receive buffer many times over.
    private static var batch: Int { 256 }
}

/// What is there.
///
/// Dumps of links and addresses that a change interrupts are asked again until they are whole. Linux does not tell of
/// interrupted dumps of rules and IPv4 routes (6.18: a dump of 1500 rules differed from what stood there all the time, and
/// was not marked): where a dump may take more than one datagram (32 KiB, roughly 450 rules or 500 routes), look whether
/// the monitor has heard of a change since it began, and ask again.
extension NetlinkRequester {
    package mutating func links() throws(NetlinkError) -> [LinkMessage] {
        try dump(.links) { (payload) throws(WireError) in try LinkMessage(payload) }
    }

    package mutating func addresses(_ family: AddressFamily) throws(NetlinkError) -> [AddressMessage] {
        try dump(.addresses(family)) { (payload) throws(WireError) in try AddressMessage(payload) }
    }

    /// The routes of one table, or of all; of one maker, or of all. A table that is not there has none.
    package mutating func routes(
        _ family: AddressFamily, table: RoutingTable? = nil, protocol: RouteProtocol? = nil,
        where isWanted: (RouteHeader) -> Bool = { _ in true }
    ) throws(NetlinkError) -> [RouteMessage] {
        do throws(NetlinkError) {
            return try dump(.routes(family, table: table, protocol: `protocol`)) { (payload) throws(WireError) in
                guard isWanted(try RouteHeader(payload)) else { return nil }
                let route = try RouteMessage(payload)
                // Linux before 4.20 does not choose for us.
                let isAsked =
                    (table == nil || route.table == table) && (`protocol` == nil || route.protocol == `protocol`)
                return isAsked && !route.flags.contains(.cloned) ? route : nil
            }
        } catch {
            if error.errno == ENOENT, table != nil { return [] }
            throw error
        }
    }

    package mutating func rules(_ family: AddressFamily) throws(NetlinkError) -> [RuleMessage] {
        try dump(.rules(family)) { (payload) throws(WireError) in try RuleMessage(payload) }
    }

    /// One interface with its counters; `nil` where it is gone.
    package mutating func link(_ index: InterfaceIndex) throws(NetlinkError) -> LinkMessage? {
        do throws(NetlinkError) {
            return try one(.link(index)) { (payload) throws(WireError) in try LinkMessage(payload) }
        } catch {
            if error.errno == ENODEV { return nil }
            throw error
        }
    }

    /// The kernel's own answer to where a packet would go. No way there is an error: ENETUNREACH, EHOSTUNREACH, EACCES.
    package mutating func lookup(_ lookup: RouteLookup) throws(NetlinkError) -> RouteMessage {
        try one(.lookup(lookup)) { (payload) throws(WireError) in try RouteMessage(payload) }
    }

    private mutating func dump<Value>(
        _ query: RouteQuery, _ read: (RawSpan) throws(WireError) -> Value?
    ) throws(NetlinkError) -> [Value] {
        try socket.dump(for: "\(query)", query.write) { (_, payload) throws(WireError) in try read(payload) }
    }

    private mutating func one<Value>(
        _ query: RouteQuery, _ read: (RawSpan) throws(WireError) -> Value
    ) throws(NetlinkError) -> Value {
        var value: Value?
        let verdict = try socket.ask(isDump: false, for: "\(query)", query.write) {
            (_, payload) throws(WireError) in value = try read(payload)
        }
        if let verdict, verdict.errno != 0 { throw NetlinkError("\(query)", verdict) }
        guard let value else { throw NetlinkError(operation: "\(query)", errno: EBADMSG, sentence: "no answer in it") }
        return value
    }
}
