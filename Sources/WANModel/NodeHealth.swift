/// How good a box is as the LAN's gateway: one number, which keepalived turns into a VRRP priority.
///
/// The daemon writes it into the track file (keepalived.conf(5), "Track files"); the priority is
/// `base + value × weight`, with the largest weight that keeps the best value within 254:
///
///     uplinks of the site   best value   weight at base 100    priorities
///                       2            3    154 / 3  = 51        100, 151, 202, 253
///                       3            4    154 / 4  = 38        100, 138 … 252
///                      64           65    154 / 65 =  2        100, 102 … 230
///
/// A large weight is worth having: the better a node's priority, the sooner it takes over from one that died (its skew time is
/// `(256 − priority) / 256` of an advertisement, RFC 9568 section 6.1). All boxes compute from the same policy, so their
/// numbers compare. 255 is kept for an address owner, which no box of ours is.
package enum NodeHealth {
    /// No usable uplink. Where that is so on every box, all priorities are equal, and the address stays where it is: a backup
    /// does not take it from a live master of its own priority.
    package static let none = 0
    /// Only what is being held after a failure, is past its quality limits (`degraded`) or is to be kept empty, or a box that
    /// stands aside for another (`wanctl failover` to an uplink that is elsewhere): any box with a good uplink is better, one
    /// without any is not.
    package static let held = 1
    /// "Anybody else": keepalived goes into FAULT below −253 and gives the address away with an advertisement of priority 0, in
    /// some 50 ms instead of three advertisements.
    ///
    /// Needed where a lower priority alone moves nothing: with `nopreempt` a better node never takes the address from a live
    /// master, and with `preempt_delay` only after that delay (both seen with keepalived 2.2.7). Not to be left standing:
    /// where every node is in FAULT nobody has the address. So a master whose health falls to `none` or `held` writes this
    /// until keepalived says FAULT and a second has passed, then its health.
    package static let yield = -254

    /// What a track file may say.
    package static let range = yield...254

    /// One uplink of the box as its health sees it.
    package struct Candidate: Hashable, Sendable {
        /// How many uplinks of the site's order stand before it (`SitePosition.ranks`).
        package var rank: Int
        /// `UplinkState.isUsable`: an uplink in doubt still counts.
        package var isUsable: Bool
        /// It failed and has not been good for `hold` yet, or works badly, or is to be kept empty.
        package var isHeld: Bool

        package init(rank: Int, isUsable: Bool, isHeld: Bool) {
            self.rank = rank
            self.isUsable = isUsable
            self.isHeld = isHeld
        }
    }

    /// `none`, `held`, or 2 for the last of `count` uplinks up to `count + 1` for the first.
    package static func value(of candidates: some Sequence<Candidate>, count: Int) -> Int {
        var value = none
        for candidate in candidates where candidate.isUsable {
            let rank = min(max(0, candidate.rank), max(0, count - 1))
            value = max(value, candidate.isHeld ? held : 1 + max(1, count) - rank)
        }
        return value
    }

    /// By how much a step of health raises the priority; 0 where the base leaves no room (`highestBase`).
    package static func weight(base: Int, count: Int) -> Int {
        max(0, (254 - min(254, max(1, base))) / (min(64, max(1, count)) + 1))
    }

    /// The largest base that leaves each value a priority of its own.
    package static func highestBase(count: Int) -> Int { 254 - (min(64, max(1, count)) + 1) }

    /// What keepalived makes of a value; `nil` is FAULT.
    package static func priority(value: Int, base: Int, count: Int) -> Int? {
        if value == yield { return nil }
        return min(254, max(1, base + min(max(0, value), 65) * weight(base: base, count: count)))
    }
}
