internal import NetworkTypes

/// keepalived's file for one box of a site: complete, without scripts, for keepalived 2.2.7 (Debian 12) and newer.
///
/// What each option does and its range is in keepalived.conf(5); those that are not obvious:
///
/// - `state BACKUP` and priorities that only health raises: what the policy orders decides, not who started first.
/// - The track file's `init_file 0` stands in until the daemon has written, so that keepalived may be started first.
/// - keepalived asks neither for a user nor for `enable_script_security`, for it runs nothing.
/// - `vrrp_garp_*`: five gratuitous ARPs at once and five a second later (a switch that was busy), then one each half minute for
///   hosts that slept; two masters for a moment end with the better one's ARP as the last (`vrrp_higher_prio_send_advert`).
/// - A better priority and no swapping: at 100 ms three late advertisements are a failover. Real-time scheduling is left out
///   (`max_auto_priority`): keepalived's limit on its own CPU time there ends it on a slow machine.
package enum KeepalivedConfiguration {
    /// The file for a node of a policy with nodes and vrrp; `nil` where it has none.
    package static func text(for name: String, of policy: Policy) throws(UnknownNode) -> String? {
        guard let vrrp = policy.vrrp, let position = try policy.position(of: name) else { return nil }
        return
            ([head(policy, vrrp, position)] + [
                globals(vrrp, position), trackFile(vrrp, position), instance(vrrp, position),
            ]).joined(separator: "\n")
    }

    private static func head(_ policy: Policy, _ vrrp: VRRP, _ position: SitePosition) -> String {
        let weight = NodeHealth.weight(base: vrrp.priority, count: position.count)
        let own = position.ranks.sorted { $0.value < $1.value }
        let priorities = own.map { name, rank in
            let value = 1 + position.count - rank
            let priority = NodeHealth.priority(value: value, base: vrrp.priority, count: position.count) ?? 0
            return "#   \(name) usable: \(vrrp.priority) + \(value) × \(weight) = \(priority)\n"
        }
        return """
            # keepalived.conf of node \(position.node.name), made by
            #
            #   wanctl export keepalived --node \(position.node.name)
            #
            # from wanctl's policy\(policy.site.map { " of \($0)" } ?? ""). Put it into /etc/keepalived/keepalived.conf on that node, then
            #
            #   keepalived --config-test && systemctl restart keepalived
            #
            # and again whenever nodes, vrrp or failover.order of the policy have changed. Each node has a file of its own.
            #
            # Priorities: wanctld writes the health of this node into the track file, keepalived adds it times \(weight) to \(vrrp.priority).
            \(priorities.joined())#   an uplink that is held after a failure: \(vrrp.priority + weight), none: \(vrrp.priority)

            """
    }

    private static func globals(_ vrrp: VRRP, _ position: SitePosition) -> String {
        """
        global_defs {
            router_id \(position.node.name)
            vrrp_version 3
            # What keepalived does goes to wanctld, after a reload too where keepalived obeys.
            vrrp_notify_fifo \(vrrp.notifyFIFO)
            fifo_write_vrrp_states_on_reload
            # Hosts and switches learn at once where the address is.
            vrrp_garp_master_repeat 5
            vrrp_garp_master_delay 1
            vrrp_garp_master_refresh 30
            vrrp_garp_master_refresh_repeat 1
            vrrp_garp_lower_prio_delay 1
            vrrp_garp_lower_prio_repeat 3
            vrrp_higher_prio_send_advert true
            # Advertisements are on time on a busy machine.
            vrrp_priority -10
            vrrp_no_swap
            max_auto_priority -1
        }

        """
    }

    private static func trackFile(_ vrrp: VRRP, _ position: SitePosition) -> String {
        """
        track_file wanctl {
            file "\(vrrp.trackFile)"
            weight \(NodeHealth.weight(base: vrrp.priority, count: position.count))
            init_file 0
        }

        """
    }

    private static func instance(_ vrrp: VRRP, _ position: SitePosition) -> String {
        let peers = position.peers.map { "        \($0.address)\n" }.joined()
        let addressing =
            vrrp.isUnicast && !position.peers.isEmpty
            ? "    unicast_src_ip \(position.node.address)\n    unicast_peer {\n\(peers)    }\n"
            : "    mcast_src_ip \(position.node.address)\n"
        let preemption =
            !vrrp.preempts
            ? "    nopreempt\n"
            : vrrp.preemptDelay > .zero ? "    preempt_delay \(seconds(vrrp.preemptDelay, digits: 3))\n" : ""
        return """
            vrrp_instance \(vrrp.instance) {
                # On every node: the priority decides.
                state BACKUP
                interface \(vrrp.interface)
                virtual_router_id \(vrrp.routerID)
                priority \(vrrp.priority)
                advert_int \(seconds(vrrp.advertisement, digits: 2))
            \(preemption)\(addressing)    virtual_ipaddress {
                    \(vrrp.address) dev \(vrrp.interface)
                }
                track_file {
                    wanctl
                }
            }

            """
    }

    /// A decimal number of seconds without trailing zeros.
    private static func seconds(_ span: Duration, digits: Int) -> String {
        let unit = (0..<(9 - digits)).reduce(1 as Int64) { unit, _ in unit * 10 }
        let scale = (0..<digits).reduce(1 as Int64) { scale, _ in scale * 10 }
        let count = span.nanoseconds / unit
        if count % scale == 0 { return "\(count / scale)" }
        let fraction = String(count % scale)
        var text = "\(count / scale)." + String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
        while text.last == "0" { text.removeLast() }
        return text
    }
}
