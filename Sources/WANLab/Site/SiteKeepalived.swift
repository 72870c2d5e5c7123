internal import Glibc
internal import LinuxIO
internal import WANModel
internal import WANPolicy

/// The real keepalived on one box of a site's lab, with pid files and paths of the box's own.
package final class SiteKeepalived: Sendable {
    private let lab: SiteLab
    package let node: SiteNode
    private let child: Child

    /// Starts it with the configuration that `wanctl export keepalived` prints for the box.
    ///
    /// - Parameter run: Where the track file and the FIFO of that policy lie, if it is no plain directory.
    package static func start(
        on node: SiteNode, in lab: SiteLab, policy: String? = nil, run: LabDisk? = nil
    ) throws(LabError) -> SiteKeepalived {
        let text = policy ?? SitePolicy.text(for: node, in: lab)
        let configuration = try doing("make keepalived's file for \(node.rawValue)") {
            let read = try PolicyReader.read(Array(text.utf8))
            guard let made = try KeepalivedConfiguration.text(for: node.rawValue, of: read.policy) else {
                throw LabError("", "the policy has no nodes")
            }
            return made
        }
        guard let run else { return try start(on: node, in: lab, configuration: configuration) }
        // It takes links out of the paths, and that into another mount namespace too.
        let seen = configuration.split(separator: run.path, omittingEmptySubsequences: false)
            .joined(separator: run.directory)
        return try start(
            on: node, in: lab, configuration: seen, entrance: run.entrance(to: lab.namespaceName(node.place)))
    }

    package static func start(
        on node: SiteNode, in lab: SiteLab, configuration: String, entrance: [String] = []
    ) throws(LabError) -> SiteKeepalived {
        let child = try lab.spawnKeepalived(
            in: node.place, lab.directory(of: node), configuration, entrance: entrance)
        return SiteKeepalived(lab: lab, node: node, child: child)
    }

    private init(lab: SiteLab, node: SiteNode, child: Child) {
        self.lab = lab
        self.node = node
        self.child = child
    }

    package var isRunning: Bool { child.isRunning }

    package func log() throws(LabError) -> String {
        try doing("read keepalived's log") { try child.output() }
    }

    /// Returns when its log has this.
    package func waitForLog(_ text: String, atMost limit: Duration = .seconds(10)) throws(LabError) {
        try child.wait("keepalived of \(node.rawValue) say \"\(text)\"", atMost: limit) { () throws(LabError) in
            try log().contains(text)
        }
    }

    /// It gives the address away, says STOP and ends; some seconds.
    package func stop() { child.stop(grace: .seconds(5)) }

    /// Without a word: the address stays on the interface.
    package func kill() { child.kill() }

    /// It reads its file again.
    package func reload() { child.signal(SIGHUP) }
}

extension SiteLab {
    /// The file in which keepalived reads the health of a box (`track-file`).
    package func healthFile(of node: SiteNode) -> String { "\(directory(of: node))/health" }

    /// Where keepalived of a box says what it does (`notify-fifo`).
    package func notifyFIFO(of node: SiteNode) -> String { "\(directory(of: node))/vrrp.fifo" }

    /// Says how good a box is, as its daemon would: see `NodeHealth`.
    package func setHealth(_ node: SiteNode, _ value: Int) throws(LabError) {
        try doing("set the health of \(node.rawValue)") {
            try Files.replace(healthFile(of: node), with: Array("\(value)\n".utf8))
        }
    }

    /// The boxes that have the virtual address on their interface.
    package func owners() throws(LabError) -> [SiteNode] {
        var owners: [SiteNode] = []
        for node in nodes {
            let listing = try mustRun(in: node.place, ["ip", "-4", "-o", "addr", "show", "dev", "eth0"])
            if listing.contains(" \(LabAddress.virtual)/") { owners.append(node) }
        }
        return owners
    }

    /// Returns when these boxes have the address and no other has it; the moment it was seen.
    @discardableResult
    package func waitForOwners(_ wanted: [SiteNode], atMost limit: Duration = .seconds(10)) throws(LabError) -> Int64 {
        let deadline = Clock.boottime() + limit.nanoseconds
        while true {
            let owners = try owners()
            let now = Clock.boottime()
            if owners == wanted { return now }
            guard now < deadline else {
                throw LabError(
                    "see \(wanted.map(\.rawValue)) with the virtual address",
                    "after \(limit) it is on \(owners.map(\.rawValue))")
            }
            pause(milliseconds: 5)
        }
    }

    /// The plainest router: forwarding, masquerading and a default route over the box's own line, whatever its role. For trying
    /// keepalived without the daemon.
    package func routePlainly(_ node: SiteNode) throws(LabError) {
        try routePlainly(node.place, masquerading: [node.interface], over: node.uplink)
    }
}
