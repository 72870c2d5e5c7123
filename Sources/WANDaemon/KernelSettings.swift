internal import LinuxIO

/// The few switches of the kernel that we must set, under /proc/sys/net (ip-sysctl.rst). Who sets one tells what was done, in words;
/// `nil`: it was so.
enum KernelSettings {
    /// Strict reverse path filtering drops the answers of every line but the selected one: sets it loose on an interface
    /// where it is strict. The kernel obeys the greater of the interface's value and that of `all`, and loose (2) is greater
    /// than strict (1).
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
    /// kernel could not fall to the next rung of the ladder by itself while the daemon is not there.
    static func skipRoutesWithoutCarrier(_ interface: String) -> String? {
        let what = "ignore_routes_with_linkdown on \(interface)"
        return set(
            "ipv4/conf/\(interface)/ignore_routes_with_linkdown", to: "1",
            done: "set \(what): without a carrier the next uplink takes over in the kernel"
        ) { "cannot set \(what): \($0)" }
    }

    /// Whether what comes in here is forwarded; `nil` where there is no such interface.
    static func forwards(_ interface: String) -> Bool? {
        guard let text = try? Files.text("/proc/sys/net/ipv4/conf/\(interface)/forwarding") else { return nil }
        return text != "0"
    }

    /// Whether what comes in here is forwarded (`net.ipv4.conf.INTERFACE.forwarding`); other interfaces keep theirs.
    static func setForwarding(_ isOn: Bool, from interface: String) -> String? {
        let what = "forwarding from \(interface) \(isOn ? "on" : "off")"
        return set("ipv4/conf/\(interface)/forwarding", to: isOn ? "1" : "0", done: "turned \(what)") {
            "cannot turn \(what): \($0)"
        }
    }

    /// Octets of flows are counted only where this is on; without it the interface's own must do.
    static func countFlowOctets() -> String? {
        set(
            "netfilter/nf_conntrack_acct", to: "1",
            done: "turned nf_conntrack_acct on: the octets of flows that drain are counted"
        ) { "cannot turn nf_conntrack_acct on: \($0); octets of flows that drain are those of the interface" }
    }

    static func enableForwarding() -> String? {
        set(
            "ipv4/ip_forward", to: "1",
            done: "turned IPv4 forwarding on (lan: {forwarding: leave} keeps hands off)"
        ) { "cannot turn IPv4 forwarding on: \($0); the LAN has no way out" }
    }

    private static func set(
        _ name: String, to value: String, done: String, failed: (SystemCallError) -> String
    ) -> String? {
        let path = "/proc/sys/net/\(name)"
        do throws(SystemCallError) {
            if try Files.text(path) == value { return nil }
            try Files.write(value + "\n", to: path)
            return done
        } catch {
            return failed(error)
        }
    }
}
