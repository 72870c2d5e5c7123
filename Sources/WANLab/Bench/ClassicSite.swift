internal import LinuxIO
internal import NetworkTypes

/// The classic site that wanctl replaces, to measure beside it: two boxes with keepalived, a check script and notify scripts.
///
/// As such set-ups are written since 2016: on `main` a `vrrp_script` pings 8.8.8.8 over the fibre each second (three losses are a
/// fault, three answers the end of it), VRRP advertises each second by multicast, and the notify scripts of both boxes set the
/// default route and forwarding: a master routes over its own line, a backup sends its own traffic to the virtual address.
package final class ClassicSite: Sendable {
    package let lab: SiteLab
    private let keepalived: [SiteKeepalived]

    /// Returns when `main` has the address.
    package static func start(in lab: SiteLab) throws(LabError) -> ClassicSite {
        var running: [SiteKeepalived] = []
        for node in lab.nodes {
            try lab.routePlainly(node)
            try doing("write the scripts of \(node.rawValue)") { try writeScripts(for: node, in: lab) }
            running.append(
                try SiteKeepalived.start(on: node, in: lab, configuration: configuration(of: node, in: lab)))
        }
        let site = ClassicSite(lab, running)
        try lab.waitForOwners([.main], atMost: .seconds(20))
        return site
    }

    private init(_ lab: SiteLab, _ keepalived: [SiteKeepalived]) {
        self.lab = lab
        self.keepalived = keepalived
    }

    package func stop() {
        for each in keepalived { each.stop() }
    }

    private static func writeScripts(for node: SiteNode, in lab: SiteLab) throws {
        let folder = lab.directory(of: node)
        let own = lab.plainDefault(over: node.uplink).joined(separator: " ")
        let scripts = [
            "check": "exec ping -n -q -c 1 -W 1 -I \(node.interface) 8.8.8.8 >/dev/null",
            // The route first, to be fair: forwarding before it lets flows be tracked without translation, on the way back to
            // the box itself, and those are lost for as long as they last.
            "master": "\(own)\necho 1 > /proc/sys/net/ipv4/ip_forward",
            "backup":
                "echo 0 > /proc/sys/net/ipv4/ip_forward\nexec ip route replace default via \(LabAddress.virtual) dev eth0",
        ]
        for (name, body) in scripts {
            try Files.replace("\(folder)/\(name).sh", with: Array("#!/bin/sh\n\(body)\n".utf8), mode: 0o755)
        }
    }

    // keepalived.conf(5)
    private static func configuration(of node: SiteNode, in lab: SiteLab) -> String {
        let folder = lab.directory(of: node)
        let isFirst = node == .main
        let track = isFirst ? "    track_script {\n        check_line\n    }\n" : ""
        return """
            global_defs {
                router_id \(node.rawValue)
                script_user root
                enable_script_security
            }
            vrrp_script check_line {
                script "\(folder)/check.sh"
                interval 1
                timeout 2
                fall 3
                rise 3
            }
            vrrp_instance VI_1 {
                state \(isFirst ? "MASTER" : "BACKUP")
                interface eth0
                virtual_router_id 51
                priority \(isFirst ? 200 : node == .sub ? 100 : 50)
                advert_int 1
                virtual_ipaddress {
                    \(LabAddress.virtual)/24
                }
            \(track)    notify_master "\(folder)/master.sh"
                notify_backup "\(folder)/backup.sh"
                notify_fault "\(folder)/backup.sh"
            }

            """
    }
}
