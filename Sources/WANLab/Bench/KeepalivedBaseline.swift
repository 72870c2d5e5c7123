internal import LinuxIO

/// The classic set-up that wanctl replaces, to measure beside it: the real keepalived with a check script and notify scripts.
///
/// `vrrp_script` pings 8.8.8.8 over the fibre line each second with a second's patience; three losses in a row put the VRRP
/// instance into FAULT, three answers bring it back; the notify scripts move the default route with ip(8). NAT is one
/// masquerade rule. This is what guides for two lines and a Raspberry Pi tell people to write.
package final class KeepalivedBaseline: Sendable {
    let lab: Lab
    private let keepalived: Child
    private let folder: String

    /// Starts keepalived in the lab's router and returns when the default route is on the fibre line.
    ///
    /// - Parameter flushing: The notify scripts also run `conntrack -F`, as the better guides say: every flow of the machine is
    ///   forgotten with each switch.
    package static func start(in lab: Lab, flushing: Bool = false) throws(LabError) -> KeepalivedBaseline {
        try lab.writeSettings(["net/ipv4/ip_forward": "1"], in: .router)
        try lab.routePlainly(over: .jcom)  // and its masquerade rule
        let folder = "\(lab.directory)/keepalived"
        try doing("write keepalived's files") { try makeFiles(in: folder, of: lab, flushing: flushing) }
        let child = try lab.spawn(
            in: .router,
            [
                "keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", "\(folder)/keepalived.conf",
            ] + KeepalivedPidFiles.arguments(in: folder))
        let baseline = KeepalivedBaseline(lab: lab, keepalived: child, folder: folder)
        try baseline.waitForDefault(over: .ftth, atMost: .seconds(20))
        return baseline
    }

    private init(lab: Lab, keepalived: Child, folder: String) {
        self.lab = lab
        self.keepalived = keepalived
        self.folder = folder
    }

    /// The operator switches by hand: runs the notify script that leads there. keepalived knows nothing of it.
    package func switchByHand(to uplink: LabUplink) throws(LabError) {
        try lab.mustRun(in: .router, ["\(folder)/\(Self.scriptName(uplink)).sh"])
    }

    private static func scriptName(_ uplink: LabUplink) -> String { uplink == .ftth ? "master" : "backup" }

    package func stop() { keepalived.stop() }

    /// Waits until the notify scripts have moved the default route there.
    package func waitForDefault(over uplink: LabUplink, atMost limit: Duration) throws(LabError) {
        let deadline = Clock.boottime() + limit.nanoseconds
        while true {
            let routes = try lab.mustRun(in: .router, ["ip", "route", "show", "default"])
            if routes.contains("dev \(uplink.interface)") { return }
            guard keepalived.isRunning, Clock.boottime() < deadline else {
                let log = try doing("read keepalived's log") { try keepalived.output() }
                throw LabError("see keepalived move the default route to \(uplink)", "it did not; it says:\n\(log)")
            }
            _ = keepalived.wait(atMost: .milliseconds(20))
        }
    }

    private static func makeFiles(in folder: String, of lab: Lab, flushing: Bool) throws {
        try makeDirectory(folder)
        try Files.replace(
            "\(folder)/check.sh", with: script("exec ping -n -q -c 1 -W 1 -I ppp0 8.8.8.8 >/dev/null"), mode: 0o755)
        for uplink in [LabUplink.ftth, .jcom] {
            let command = lab.plainDefault(over: uplink).joined(separator: " ")
            try Files.replace(
                "\(folder)/\(scriptName(uplink)).sh", with: script(command + (flushing ? "\nconntrack -F" : "")),
                mode: 0o755)
        }
        try Files.replace("\(folder)/keepalived.conf", with: Array(configuration(in: folder).utf8))
    }

    private static func script(_ command: String) -> [UInt8] { Array("#!/bin/sh\n\(command)\n".utf8) }

    // keepalived.conf(5)
    private static func configuration(in folder: String) -> String {
        """
        global_defs {
            router_id lab
            script_user root
            enable_script_security
        }
        vrrp_script check_ftth {
            script "\(folder)/check.sh"
            interval 1
            timeout 2
            fall 3
            rise 3
        }
        vrrp_instance VI_1 {
            state MASTER
            interface eth0
            virtual_router_id 51
            priority 100
            advert_int 1
            virtual_ipaddress {
                192.168.0.254/24
            }
            track_script {
                check_ftth
            }
            notify_master "\(folder)/master.sh"
            notify_backup "\(folder)/backup.sh"
            notify_fault "\(folder)/backup.sh"
        }

        """
    }
}
