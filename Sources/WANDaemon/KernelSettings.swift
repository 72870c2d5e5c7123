internal import LinuxIO

/// The few switches of the kernel that we must set, under /proc/sys/net (ip-sysctl.rst).
enum KernelSettings {
    /// Strict reverse path filtering drops the answers of every line but the selected one: sets it loose on an interface
    /// where it is strict. The kernel obeys the greater of the interface's value and that of `all`, and loose (2) is greater
    /// than strict (1). Returns what was done, in words; `nil`: nothing was needed.
    static func loosenReversePathFilter(_ interface: String) -> String? {
        // A name with a dot (VLAN) is a plain directory name here; a name with a slash cannot be in a policy.
        let path = "/proc/sys/net/ipv4/conf/\(interface)/rp_filter"
        do throws(SystemCallError) {
            let all = Int(try Files.text("/proc/sys/net/ipv4/conf/all/rp_filter")) ?? 0
            let own = Int(try Files.text(path)) ?? 0
            guard max(all, own) == 1 else { return nil }
            try Files.write("2\n", to: path)
            return "rp_filter was strict on \(interface) and would have dropped the answers of probes; set loose (2)"
        } catch {
            return "cannot set rp_filter loose on \(interface): \(error); answers of probes may be dropped"
        }
    }

    /// Without this a route whose interface has lost its carrier goes on being used (it is only flagged `linkdown`), and the
    /// kernel could not fall to the next rung of the ladder by itself while the daemon is not there. Returns what was done.
    static func skipRoutesWithoutCarrier(_ interface: String) -> String? {
        let path = "/proc/sys/net/ipv4/conf/\(interface)/ignore_routes_with_linkdown"
        do throws(SystemCallError) {
            if try Files.text(path) == "1" { return nil }
            try Files.write("1\n", to: path)
            return
                "set ignore_routes_with_linkdown on \(interface): without a carrier the next uplink takes over in the kernel"
        } catch {
            return "cannot set ignore_routes_with_linkdown on \(interface): \(error)"
        }
    }

    /// Whether what comes in here is forwarded; `nil` where there is no such interface.
    static func forwards(_ interface: String) -> Bool? {
        guard let text = try? Files.text("/proc/sys/net/ipv4/conf/\(interface)/forwarding") else { return nil }
        return text != "0"
    }

    /// Whether what comes in here is forwarded (`net.ipv4.conf.INTERFACE.forwarding`); other interfaces keep theirs. Returns
    /// what was done, in words; `nil`: it was so.
    static func setForwarding(_ isOn: Bool, from interface: String) -> String? {
        let path = "/proc/sys/net/ipv4/conf/\(interface)/forwarding"
        let value = isOn ? "1" : "0"
        do throws(SystemCallError) {
            if try Files.text(path) == value { return nil }
            try Files.write(value + "\n", to: path)
            return "turned forwarding from \(interface) \(isOn ? "on" : "off")"
        } catch {
            return "cannot turn forwarding from \(interface) \(isOn ? "on" : "off"): \(error)"
        }
    }

    /// Octets of flows are counted only where this is on; without it the interface's own must do. Returns what was done.
    static func countFlowOctets() -> String? {
        let path = "/proc/sys/net/netfilter/nf_conntrack_acct"
        do throws(SystemCallError) {
            if try Files.text(path) == "1" { return nil }
            try Files.write("1\n", to: path)
            return "turned nf_conntrack_acct on: the octets of flows that drain are counted"
        } catch {
            return "cannot turn nf_conntrack_acct on: \(error); octets of flows that drain are those of the interface"
        }
    }

    /// Turns IPv4 forwarding on. Returns what was done, in words; `nil`: it was on.
    static func enableForwarding() -> String? {
        let path = "/proc/sys/net/ipv4/ip_forward"
        do throws(SystemCallError) {
            if try Files.text(path) == "1" { return nil }
            try Files.write("1\n", to: path)
            return "turned IPv4 forwarding on (lan: {forwarding: leave} keeps hands off)"
        } catch {
            return "cannot turn IPv4 forwarding on: \(error); the LAN has no way out"
        }
    }
}
