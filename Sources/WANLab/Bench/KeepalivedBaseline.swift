internal import LinuxIO

/// The classic set-up that wanctl replaces, to measure beside it: the real keepalived with a check script and notify scripts.
///
/// It pings over the fibre line; the notify scripts move the default route with ip(8). NAT is one masquerade rule.
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
        let classic = ClassicKeepalived(
            folder: folder, name: "lab", interface: LabUplink.ftth.interface,
            master: script(.ftth, in: lab, flushing: flushing), backup: script(.jcom, in: lab, flushing: flushing))
        try doing("write keepalived's files") {
            try Files.makeDirectory(folder, mode: 0o755)
            try classic.writeScripts()
        }
        let child = try lab.spawnKeepalived(in: .router, folder, classic.configuration)
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
        try lab.mustRun(in: .router, ["\(folder)/\(uplink == .ftth ? "master" : "backup").sh"])
    }

    package func stop() { keepalived.stop() }

    /// Waits until the notify scripts have moved the default route there.
    package func waitForDefault(over uplink: LabUplink, atMost limit: Duration) throws(LabError) {
        try keepalived.wait("keepalived move the default route to \(uplink)", atMost: limit) { () throws(LabError) in
            try lab.mustRun(in: .router, ["ip", "route", "show", "default"]).contains("dev \(uplink.interface)")
        }
    }

    /// Leads the router's traffic to a line.
    private static func script(_ uplink: LabUplink, in lab: Lab, flushing: Bool) -> String {
        lab.plainDefault(over: uplink).joined(separator: " ") + (flushing ? "\nconntrack -F" : "")
    }
}
