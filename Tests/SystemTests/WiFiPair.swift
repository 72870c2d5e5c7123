import LinuxIO
import TestSupport
import WANLab

/// The classic two gateways: each box has a Wi-Fi of its own to the same cable router, and the policy is the example's.
///
/// `main` plays odin, with the lab's own line, which can fail in every way; `sub` plays frigg, with a plain cable to the same
/// router. Their `ppp0` are there and nobody's business.
enum WiFiPair {
    static func world() throws -> SiteWorld {
        let example = try Files.text("\(package)/Policies/two-gateways.yaml")
        let world = try SiteWorld(extra: [.jcom: .main]) { node, lab in
            example.replacing("odin-wifi", with: "wifi-1").replacing("frigg-wifi", with: "wifi-2")
                .replacing("odin", with: "main").replacing("frigg", with: "sub").replacing(
                    "hold: 60s", with: "hold: 1s"
                )
                .replacing(
                    "  key: /etc/wanctl/site.key ",
                    with:
                        "  track-file: \(lab.healthFile(of: node))\n  notify-fifo: \(lab.notifyFIFO(of: node))\n  key: \(lab.keyFile) "
                )
        }
        try joinFrigg(world.lab)
        return world
    }

    /// A second station of the cable router.
    private static func joinFrigg(_ lab: SiteLab) throws {
        let router = lab.namespaceName(.jcom)
        try lab.mustRun(
            in: .sub, ["ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "air1", "netns", router])
        try lab.mustRun(
            in: .jcom, ["ip", "-batch", "-"],
            input: """
                link add air0 type bridge
                addr flush dev lan0
                addr add \(LabUplink.jcom.gateway)/24 dev air0
                link set lan0 master air0
                link set air1 master air0
                link set air1 up
                link set air0 up

                """)
        try lab.mustRun(in: .sub, ["ip", "addr", "add", "192.168.3.8/24", "dev", "wlan0"])
        try lab.mustRun(in: .sub, ["ip", "link", "set", "wlan0", "up"])
    }
}

private let package = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
