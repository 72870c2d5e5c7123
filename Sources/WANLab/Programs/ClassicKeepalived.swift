internal import LinuxIO

/// keepalived as guides for two lines and a Raspberry Pi tell people to write it, with all its files in one folder.
///
/// `vrrp_script` pings 8.8.8.8 over a line each second with a second's patience; three losses in a row are a fault, three answers
/// the end of it; VRRP advertises each second by multicast, and the notify scripts do the routing.
struct ClassicKeepalived {
    var folder: String
    var name: String
    var isFirst = true
    var priority = 100
    /// The interface over which it pings.
    var interface: String
    /// What the notify scripts do.
    var master: String
    var backup: String

    func writeScripts() throws {
        let check = "exec ping -n -q -c 1 -W 1 -I \(interface) 8.8.8.8 >/dev/null"
        for (name, body) in ["check": check, "master": master, "backup": backup] {
            try Files.replace("\(folder)/\(name).sh", with: Array("#!/bin/sh\n\(body)\n".utf8), mode: 0o755)
        }
    }

    // keepalived.conf(5)
    var configuration: String {
        """
        global_defs {
            router_id \(name)
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
            priority \(priority)
            advert_int 1
            virtual_ipaddress {
                \(LabAddress.virtual)/24
            }
        \(isFirst ? "    track_script {\n        check_line\n    }\n" : "")    notify_master "\(folder)/master.sh"
            notify_backup "\(folder)/backup.sh"
            notify_fault "\(folder)/backup.sh"
        }

        """
    }
}

extension Laboratory {
    /// The real keepalived in a place, with its files in a folder.
    ///
    /// - Parameter entrance: What stands in front of its name, as nsenter(1).
    func spawnKeepalived(
        in place: Place, _ folder: String, _ configuration: String, entrance: [String] = []
    ) throws(LabError) -> Child {
        try doing("write keepalived's file") {
            try Files.replace("\(folder)/keepalived.conf", with: Array(configuration.utf8))
        }
        // Of one that was killed: its orphan is a zombie where nobody reaps, and keepalived takes it for a running one.
        for path in KeepalivedPidFiles.paths(in: folder) { Files.remove(path) }
        return try spawn(
            in: place,
            entrance + [
                "keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file",
                "\(folder)/keepalived.conf",
            ] + KeepalivedPidFiles.arguments(in: folder))
    }
}
