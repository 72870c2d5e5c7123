package import NetworkTypes
package import WANModel

/// What is ours in the kernel (wanctld(8), "What is ours"). Nothing else is ever touched.
package enum Ownership {
    /// The ladder of selected defaults. Beyond 255 and so free of the names of `rt_tables`; no other program known to us
    /// uses the range.
    package static let selected = RoutingTable(rawValue: 8700)

    /// An uplink's own table: 8701…8764.
    package static func table(of uplink: UplinkNumber) -> RoutingTable {
        RoutingTable(rawValue: 8700 + UInt32(uplink.rawValue))
    }

    /// The way to the box of the site that has the virtual address.
    package static let relay = RoutingTable(rawValue: 8765)

    package static func isOurTable(_ table: RoutingTable) -> Bool { (8700...8765).contains(table.rawValue) }

    package static let priorities: ClosedRange<UInt32> = 8700...8999

    /// In order of look-up.
    enum Priority {
        /// Connected and other specific routes of `main` first: LAN to LAN never leaves by an uplink.
        static let main = RulePriority(rawValue: 8700)
        static func mark(_ uplink: UplinkNumber) -> RulePriority {
            RulePriority(rawValue: 8700 + UInt32(uplink.rawValue))
        }
        static func bound(_ uplink: UplinkNumber) -> RulePriority {
            RulePriority(rawValue: 8764 + UInt32(uplink.rawValue))
        }
        static func source(_ uplink: UplinkNumber) -> RulePriority {
            RulePriority(rawValue: 8828 + UInt32(uplink.rawValue))
        }
        /// Marks that say: that uplink or none.
        static func strict(_ uplink: UplinkNumber) -> RulePriority {
            RulePriority(rawValue: 8892 + UInt32(uplink.rawValue))
        }
        /// None: where the table of a strict mark led nowhere.
        static let noOther = RulePriority(rawValue: 8997)
        /// A box's own traffic while another one has the virtual address.
        static let relay = RulePriority(rawValue: 8998)
        static let rest = RulePriority(rawValue: 8999)
    }

    /// The metric of the selected default, in table 8700 and mirrored in `main`.
    package static let firstMetric: UInt32 = 1

    /// The metric of our host routes in `main`. `ip route replace` takes the place of whoever has that destination and metric, and
    /// no program known to us uses this one; a route of another program to the same host is mostly of a lower metric, stays,
    /// and is the one that counts.
    package static let hostMetric: UInt32 = 8700
}
