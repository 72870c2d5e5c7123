package import NetworkTypes

/// A rule that says which table is asked for which packets: `ip rule show` (linux/fib_rules.h, RTM_NEWRULE).
package struct RuleMessage: Hashable, Sendable {
    package var family: AddressFamily
    package var priority: RulePriority
    package var action: Action
    /// Asked where the action is `lookup`; 0 for the others.
    package var table: RoutingTable
    package var `protocol`: RouteProtocol
    /// Matches packets and sockets with this mark under its mask.
    package var mark: FwMark?
    /// Matches packets that came in here; `lo` stands for what this machine sends itself.
    package var input: String?
    /// Matches what is sent by a socket that is bound to this interface (SO_BINDTODEVICE).
    package var output: String?
    package var source: IPPrefix?
    package var destination: IPPrefix?
    package var tos: UInt8 = 0
    /// A route found with a prefix of this length or shorter does not count: 0 leaves out default routes.
    package var suppressPrefixLength: UInt32?
    /// `not`: matches what the selectors do not.
    package var isInverted = false
    /// Attributes this type does not know, in order: selectors or effects. A rule of ours has none, so one of somebody
    /// else's that looks alike but selects less is never taken for it.
    package var unread: [UInt16] = []

    /// FR_ACT_*, by the kernel's numbers.
    package enum Action: Hashable, Sendable {
        case lookup, goTo, nop, blackhole, unreachable, prohibit
        case other(UInt8)
    }

    /// A rule to ask for; it has no selector until one is set.
    package init(
        _ family: AddressFamily, priority: RulePriority, lookup table: RoutingTable, protocol: RouteProtocol = .wanctl
    ) {
        self.family = family
        self.priority = priority
        action = .lookup
        self.table = table
        self.protocol = `protocol`
    }
}

extension RuleMessage: CustomStringConvertible {
    /// In ip(8)'s words: `8710: from all fwmark 0x10000/0xff0000 lookup 8701 proto wanctl`.
    package var description: String {
        var words = "\(priority):\(isInverted ? " not" : "") from \(source.map(String.init(describing:)) ?? "all")"
        if let destination { words += " to \(destination)" }
        if tos != 0 { words += " tos \(tos)" }
        if let mark { words += " fwmark \(mark)" }
        if let input { words += " iif \(input)" }
        if let output { words += " oif \(output)" }
        words += action == .lookup ? " lookup \(table)" : " \(action)"
        if let suppressPrefixLength { words += " suppress_prefixlength \(suppressPrefixLength)" }
        if !unread.isEmpty { words += " (and attributes \(unread))" }
        return words + " proto \(self.protocol)"
    }
}
