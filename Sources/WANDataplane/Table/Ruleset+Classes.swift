internal import NetworkTypes
internal import WANModel

// From a class to the mark of an uplink.
extension Ruleset {
    /// Hashed with the flow, so that the buckets of a step are not those of another program's hash. ("wa")
    static let seed = "0x7761"

    static func addClasses(_ text: inout TableText, _ site: RulesetSite) {
        let mark = site.mark
        let layout = site.input.mark
        text.chain(TableNames.refuseChain, [mark.set("meta", to: layout.mark(.reject).value)])
        text.chain(TableNames.discardChain, [mark.set("meta", to: layout.mark(.drop).value)])
        for classIndex in site.input.classes.indices where site.input.hasChain(classIndex) {
            addClass(&text, site, classIndex, site.input.classes[classIndex], site.input.steering(of: classIndex))
        }
    }

    private static func addClass(
        _ text: inout TableText, _ site: RulesetSite, _ classIndex: Int, _ traffic: DataplaneClass, _ now: ClassSteering
    ) {
        text.collection(.map, TableNames.choice(classIndex), ["type nf_proto : verdict"], ["ipv4 : \(now.choice)"])
        // The note of `classify` goes first: whatever happens below, it is never taken for an uplink's number.
        var statements = [site.mark.set("meta", to: 0)]
        if traffic.isSticky {
            for uplink in Set(traffic.sharing).sorted() {
                addStickiness(&text, classIndex, uplink, traffic, now)
                // Only while the uplink takes part: a source that came into the set as it left does not stay there.
                statements.append(
                    "ip saddr @\(TableNames.sticky(classIndex, uplink)) meta nfproto "
                        + "vmap @\(TableNames.hold(classIndex, uplink))")
            }
        }
        statements.append("meta nfproto vmap @\(TableNames.choice(classIndex))")
        text.chain(TableNames.classChain(classIndex), statements)
        if !traffic.sharing.isEmpty { addShare(&text, classIndex, now) }
    }

    /// A new flow makes the source's time begin anew.
    private static func addStickiness(
        _ text: inout TableText, _ classIndex: Int, _ uplink: UplinkNumber, _ traffic: DataplaneClass,
        _ now: ClassSteering
    ) {
        let set = TableNames.sticky(classIndex, uplink)
        text.collection(
            .set, set,
            [
                "type ipv4_addr", "flags dynamic,timeout", "timeout \(String.time(traffic.sticky ?? .seconds(1)))",
                "size 65535",
            ], [])
        text.collection(
            .map, TableNames.hold(classIndex, uplink), ["type nf_proto : verdict"],
            now.holds[uplink].map { ["ipv4 : \($0)"] } ?? [])
        // Two statements: where the set is full the first one ends, and the flow goes on as if it were not sticky.
        text.chain(
            TableNames.keepChain(classIndex, uplink),
            [
                "update @\(set) { ip saddr }",
                "goto \(traffic.isStrict ? TableNames.onlyChain(uplink) : TableNames.toChain(uplink))",
            ])
    }

    /// A `typeof jhash …` map would say it better, but nft 1.0.6 dies of listing one.
    ///
    /// The kernel finds a bucket by a number in the order of the host. nft writes the keys of such a map in that order up to
    /// 1.1.3, and in network order in 1.1.7. So each bucket has both keys, and one of the two is never looked up.
    private static func addShare(_ text: inout TableText, _ classIndex: Int, _ now: ClassSteering) {
        text.collection(
            .map, TableNames.buckets(classIndex), ["typeof numgen inc mod \(ShareTable.size) : verdict"],
            (now.buckets ?? []).enumerated().flatMap { number, verdict in
                Set([UInt32(number), UInt32(number).byteSwapped]).sorted().map { "\($0) : \(verdict)" }
            })
        let end = "mod \(ShareTable.size) seed \(seed) vmap @\(TableNames.buckets(classIndex))"
        let transports = String.list((UInt8.min ... .max).filter(Transport.hasPorts).map { "\($0)" })
        text.chain(
            TableNames.shareChain(classIndex),
            [
                "meta l4proto \(transports) jhash ip saddr . ip daddr . th sport . th dport \(end)",
                "jhash ip saddr . ip daddr \(end)",
            ])
    }
}
