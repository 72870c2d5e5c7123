import WANControl
import WANModel

/// The classic site of two boxes: fibre on `main`, SORACOM on `sub`.
extension Example {
    static var sub: PeerReport {
        var peer = PeerReport(node: "sub", address: "192.168.0.2")
        peer.role = .backup
        peer.health = 2
        peer.selected = ["soracom"]
        peer.uplinks = [.init(name: "soracom", state: .up)]
        peer.heard = .seconds(1)
        return peer
    }

    /// As `main` tells it.
    static var master: StatusReport {
        var report = healthy
        report.node = "main"
        report.role = .master
        report.uplinks = [ftth]
        report.lastSwitch = nil
        report.site = "home"
        report.roleReason = "keepalived says so, with priority 253"
        report.virtualAddress = .init(address: "192.168.0.254", holder: "main")
        report.peers = [sub]
        return report
    }

    /// The same site as `sub` tells it.
    static var backup: StatusReport {
        var report = master
        report.node = "sub"
        report.role = .backup
        report.roleReason = nil
        report.selected = ["soracom"]
        report.uplinks = [soracom]
        var main = PeerReport(node: "main", address: "192.168.0.1")
        main.role = .master
        main.health = 3
        main.selected = ["ftth"]
        main.uplinks = [.init(name: "ftth", state: .up), .init(name: "jcom", state: .down)]
        main.heard = .milliseconds(300)
        report.peers = [main]
        return report
    }

    /// `sub` has been quiet for a while, a third one was never heard.
    static var silentPeers: StatusReport {
        var report = master
        report.peers[0].heard = .seconds(40)
        report.peers.append(PeerReport(node: "third", address: "192.168.0.3"))
        return report
    }

    static var twoMasters: StatusReport {
        var report = master
        report.virtualAddress?.holder = nil
        report.peers[0].role = .master
        return report
    }

    static let sites = [master, backup, silentPeers, twoMasters]

    static let word = PeerWord(
        node: "sub", site: "home", version: "0.1.0", policy: "b1946ac92492", run: 81, sequence: 7, role: .backup,
        health: 2, selected: ["soracom"], uplinks: [.init(name: "soracom", state: .up)])
}
