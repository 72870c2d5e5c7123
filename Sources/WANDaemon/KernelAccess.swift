internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import Nftables
package import PacketWire
internal import WANDataplane
internal import WANModel

/// What the kernel tells, from either of its monitors.
package enum KernelNews {
    case network(KernelEvent)
    /// Somebody else changed our nft table.
    case table
    case lost(String)
}

/// The daemon's sockets into the kernel: rtnetlink, ctnetlink, nftables and their monitors.
package final class KernelAccess {
    private var requester: NetlinkRequester
    private var conntrack: ConntrackSocket
    private var elements: NftablesSocket
    private var sockets: SocketDiag
    private var nftables: NftablesContext
    private var wireless: WirelessProbe?
    private let monitor: NetlinkMonitor
    private let tableMonitor: NftablesMonitor
    /// Our table was touched by a transaction whose author is not known yet.
    private var isTableTouched = false
    private var hasTable = false
    /// What our table was made of when we made it.
    private var census: Int?
    private static let table = NftablesEvent.Table.inet("wanctl")

    package init() throws {
        // Subscribed before anything is dumped, so that no change falls between the two.
        monitor = try NetlinkMonitor(families: [.v4], filter: KernelNoise.routesOfOthers)
        tableMonitor = try NftablesMonitor(filter: KernelNoise.elementsOfOthers)
        requester = try NetlinkRequester()
        conntrack = try ConntrackSocket()
        elements = try NftablesSocket()
        sockets = try SocketDiag()
        nftables = try NftablesContext.make()
        // Where the kernel has no generic netlink there is no Wi-Fi either.
        wireless = try? WirelessProbe()
        loadModules()
    }

    /// The kernel loads the modules that answer these when they are first asked, which may take as long as an outage: on
    /// Debian they are not there before, and a switch would wait for the disk.
    private func loadModules() {
        _ = try? conntrack.total()
        _ = try? sockets.connected(source: IPv4Address(bits: 0))
    }

    /// Under which number our own changes come back as events.
    var port: UInt32 { requester.port }

    func watch(_ loop: EventLoop, _ handler: @escaping ([KernelNews]) -> Void) throws(SystemCallError) {
        _ = try loop.watch(monitor.descriptor) { [unowned self] _ in
            do throws(NetlinkError) {
                handler(
                    try monitor.read().map { event in
                        if case .lost(let reason) = event.what { .lost(reason) } else { .network(event) }
                    })
            } catch {
                handler([.lost("\(error)")])
            }
        }
        _ = try loop.watch(tableMonitor.descriptor) { [unowned self] _ in
            let isTouched = readTableEvents()
            if isTouched { handler([.table]) }
        }
    }

    /// True where another program's transaction touched our table.
    private func readTableEvents() -> Bool {
        var (isForeign, hasLoss) = (false, false)
        do throws(NetlinkError) {
            for event in try tableMonitor.read() {
                switch event.what {
                case .tableMade(let table), .tableGone(let table), .changed(let table, _):
                    if table == Self.table { isTableTouched = true }
                case .committed(_, _, let author):
                    // All parts of a transaction come before this, which alone names its author.
                    if isTableTouched, author != programName() { isForeign = true }
                    isTableTouched = false
                case .lost: hasLoss = true
                }
            }
        } catch {
            hasLoss = true
        }
        if hasLoss {
            // Who made what was heard of a transaction may be lost with its end: what stands there tells.
            isTableTouched = false
            isForeign = isForeign || hasOtherRules()
        }
        return isForeign && hasTable
    }

    /// After a loss, which a large transaction of our own is enough for.
    private func hasOtherRules() -> Bool { census == nil || (try? elements.census(Self.table)) != census }

    // MARK: looking

    func dump(into picture: inout KernelPicture) throws(NetlinkError) {
        let links = try requester.links()
        let addresses = try requester.addresses(.v4)
        let routes = try requester.routes(.v4, where: KernelNoise.concerns)
        let rules = try requester.rules(.v4)
        picture.replaceLinks(links)
        picture.replaceAddresses(addresses)
        picture.replaceRoutes(routes)
        picture.replaceRules(rules)
    }

    /// `nil` where the interface is gone.
    func counters(of index: InterfaceIndex) -> InterfaceCounters? {
        guard let counters = (try? requester.link(index))?.counters else { return nil }
        return InterfaceCounters(
            rxBytes: counters.receivedBytes, txBytes: counters.sentBytes, rxPackets: counters.receivedPackets,
            txPackets: counters.sentPackets)
    }

    /// Over which interface the kernel would send what nobody bound to anything; `nil` where it would not.
    func lookup(_ target: IPAddress) -> InterfaceIndex? { (try? requester.lookup(RouteLookup(target)))?.output }

    func isWireless(_ index: InterfaceIndex) -> Bool { (try? wireless?.isWireless(index)) ?? false }

    // MARK: changing

    /// Carries steps out in order and notes in `state` what the kernel acknowledged; the refusals, in words.
    func apply(_ steps: [KernelChange], to state: inout KernelState) -> [String] {
        let outcomes: [NetlinkOutcome]
        do throws(NetlinkError) {
            outcomes = try requester.perform(steps.map(\.request))
        } catch {
            return ["\(error)"]
        }
        var failures: [String] = []
        for (step, outcome) in zip(steps, outcomes) {
            if let error = outcome.error {
                failures.append("\(error)")
            } else {
                state.note(step)
            }
        }
        return failures
    }

    // MARK: flows

    /// Deletes the flows with this mark, in one message; about how many there were. Counting them first would take longer
    /// than deleting them (the kernel walks all its buckets), so it is reckoned from the totals.
    func deleteFlows(_ mark: FwMark) throws(NetlinkError) -> Int { try conntrack.delete(mark: mark) }

    /// Not for the way to a switch: it walks the whole table.
    func flows(with mark: FwMark) throws(NetlinkError) -> [ConntrackEntry] { try conntrack.entries(mark: mark) }

    func flows(with mark: FwMark, limit: Int) throws(NetlinkError) -> [ConntrackEntry] {
        try conntrack.entries(mark: mark, limit: limit).entries
    }

    /// Of all.
    func flows(where isWanted: (ConntrackEntry) -> Bool) throws(NetlinkError) -> [ConntrackEntry] {
        try conntrack.entries(where: isWanted)
    }

    func delete(_ flows: [ConntrackEntry]) throws(NetlinkError) -> Int { try conntrack.delete(flows) }

    /// What waits for no connection.
    func deleteMovable(_ mark: FwMark) throws(NetlinkError) -> Int { try conntrack.deleteMovable(mark: mark) }

    /// Whether the kernel chooses these by itself, as far as is known yet.
    var filtersDeletions: Bool { conntrack.filtersDeletions }

    /// Connected sockets of the router's own programs; how many there were.
    func closeSockets(from address: IPv4Address, keepingBound: Bool) throws(NetlinkError) -> Int {
        try sockets.close(source: address, keepingBound: keepingBound)
    }

    // MARK: the table

    func apply(ruleset: String) throws(NftablesError) {
        try nftables.apply(ruleset)
        hasTable = true
        census = try? elements.census(Self.table)
    }

    /// Whether a table of ours translates, of this run or of an earlier one; another program's of its name does not.
    func translates() -> Bool { (try? nftables.has(chain: TableNames.sourceNAT, in: Ruleset.table)) ?? false }

    /// Elements of its sets and maps, all of them or none.
    func change(_ changes: [NftablesChange]) throws(NetlinkError) { try elements.perform(changes, in: Self.table) }

    /// Of one of its sets, at most so many; none where it has no such set.
    func elements(of set: String, limit: Int) throws(NetlinkError) -> [NftablesElement] {
        try elements.elements(of: set, in: Self.table, limit: limit)
    }

    /// Of its named counters.
    func packets() throws(NetlinkError) -> [String: UInt64] { try elements.counters(Self.table).mapValues(\.packets) }

    /// Of all tables.
    func flowtables() throws(NetlinkError) -> [NftablesFlowtable] { try elements.flowtables() }

    /// Takes everything of ours away: routes, rules, the nft table. What was found, in words.
    func cleanUp() throws -> [String] {
        var picture = KernelPicture()
        try dump(into: &picture)
        let steps = changes(from: picture.found, to: KernelState())
        let failures = apply(steps, to: &picture.found)
        try nftables.apply(Ruleset.removal)
        return steps.map(\.description) + failures.map { "refused: \($0)" }
    }
}

extension KernelState {
    fileprivate mutating func note(_ change: KernelChange) {
        switch change {
        case .putRoute(let route): routes[route.key] = route
        case .removeRoute(let route): routes[route.key] = nil
        case .addRule(let rule): rules.insert(rule)
        case .removeRule(let rule): rules.remove(rule)
        }
    }
}

extension KernelChange {
    fileprivate var request: RouteRequest {
        switch self {
        case .putRoute(let route): .replaceRoute(RouteMessage(route))
        case .removeRoute(let route): .deleteRoute(RouteMessage(route))
        case .addRule(let rule): .addRule(RuleMessage(rule))
        case .removeRule(let rule): .deleteRule(RuleMessage(rule))
        }
    }
}

extension RouteMessage {
    /// `onlink`: the gateway is taken to be on the interface whatever its prefixes say, as with a DHCP server that hands
    /// out a gateway outside of the subnet.
    fileprivate init(_ route: UplinkRoute) {
        self.init(
            route.key.destination, via: route.gateway, output: route.interface, table: route.key.table,
            metric: route.key.metric, onLink: route.gateway != nil)
    }
}

extension RuleMessage {
    fileprivate init(_ rule: PolicyRoutingRule) {
        switch rule.action {
        case .lookup(let table): self.init(rule.family, priority: rule.priority, lookup: table)
        case .prohibit:
            self.init(rule.family, priority: rule.priority, lookup: RoutingTable(rawValue: 0))
            action = .prohibit
        }
        switch rule.selector {
        case .all: break
        case .mark(let mark): self.mark = mark
        case .outputInterface(let name): output = name
        case .source(let prefix): source = prefix
        }
        if rule.ignoresDefaults { suppressPrefixLength = 0 }
    }
}
