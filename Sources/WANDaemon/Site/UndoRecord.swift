internal import JSONText
package import LinuxIO
internal import WANModel

/// What the daemon of one box among others leaves standing that somebody else has to undo where none comes after it: one with
/// another policy, `wanctld --cleanup`, or `wanctld --ended`.
///
/// A file beside the control socket, so below /run: after a reboot there is nothing to undo. It says what was done, not what is
/// wanted, and is written before the deed: a daemon that is killed in between leaves too long a list, which harms nobody.
package struct UndoRecord: Sendable {
    package let path: String
    /// Where keepalived reads how good this box is, for as long as the policy has vrrp.
    package private(set) var trackFile: String?
    /// A lower health alone moves no address there (`VRRP.mustGive`).
    package private(set) var mustGive = false
    /// Interfaces from which forwarding was on, and is off by our doing (`vrrp: {backup: {forwarding: off}}`).
    package private(set) var silenced: Set<String> = []
    /// Daemons that crashed soon after their start, one after the other.
    package private(set) var crashes = 0
    /// Of so many, none is relied on until one has lived on.
    package var isUnreliable: Bool { crashes >= 5 }
    /// A daemon that has run for so long counts as stable.
    package static let stableAfter = Duration.seconds(30)

    /// `/run/wanctl/leavings.json` beside `/run/wanctl/wanctl.sock`. A file that cannot be read counts as none.
    package init(besides socket: String) {
        let slash = socket.lastIndex(of: "/")
        self.init(path: slash.map { "\(socket[...$0])leavings.json" } ?? "leavings.json", text: [])
        let (path, directory) = (path, directory)
        let bytes = try? Privileges.asOwner(of: directory) { () throws(SystemCallError) in
            try Files.readRegular(path, limit: 1 << 16, followsLink: false, isOurs: true)
        }
        if let bytes { self = Self(path: path, text: bytes) }
    }

    /// With what stands in the file; what makes no sense counts as not there.
    package init(path: String, text: [UInt8]) {
        self.path = path
        guard let json = try? JSONValue(parsing: text) else { return }
        trackFile = json["track-file"]?.string.flatMap { $0.utf8.first == 0x2f && !$0.utf8.contains(0) ? $0 : nil }
        mustGive = json["must-give"]?.bool ?? false
        // Names that could be an interface's: they become part of a path.
        silenced = Set((json["silenced"]?.array ?? []).compactMap(\.string).filter { Self.isName($0) })
        crashes = Int(clamping: max(0, json["deaths"]?.integer ?? 0))
    }

    /// What the record says is the word of whoever owns the directory: root goes where it leads with that user's rights alone.
    private var directory: String {
        let name = path.dropLast("leavings.json".utf8.count)
        return name.isEmpty ? "." : String(name)
    }

    /// By bytes, as the kernel reads it: to Swift a slash with an accent is another character, and a NUL is no end.
    private static func isName(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count) && !text.utf8.contains { $0 == 0 || $0 == 0x2f } && text != "."
            && text != ".."
    }

    /// Notes the track file; what stands there already is not written again.
    package mutating func note(trackFile: String?, mustGive: Bool) throws(SystemCallError) {
        guard trackFile != self.trackFile || mustGive != self.mustGive else { return }
        self.trackFile = trackFile
        self.mustGive = mustGive
        try write()
    }

    package mutating func note(silenced: Set<String>) throws(SystemCallError) {
        guard silenced != self.silenced else { return }
        self.silenced = silenced
        try write()
    }

    package mutating func note(crashes: Int) throws(SystemCallError) {
        guard crashes != self.crashes else { return }
        self.crashes = crashes
        try write()
    }

    /// What is to stand in the file.
    package var text: String {
        var members: [JSONValue.Member] = [
            .init("silenced", .array(silenced.sorted().map { .string($0) })), .init("deaths", .integer(Int64(crashes))),
        ]
        if let trackFile {
            members.insert(
                contentsOf: [.init("track-file", .string(trackFile)), .init("must-give", .bool(mustGive))], at: 0)
        }
        return JSONValue.object(members).text + "\n"
    }

    private func write() throws(SystemCallError) {
        let text = Array(text.utf8)
        try Privileges.asOwner(of: directory) { () throws(SystemCallError) in
            try Files.replace(path, with: text, mode: 0o644)
        }
    }

    // MARK: undoing

    /// A daemon has ended, as systemd tells it (systemd.exec(5), `$SERVICE_RESULT` and `$EXIT_STATUS` of `ExecStopPost=`): undoes
    /// all where none comes after it, or those that come crash as soon. What was done, in words.
    ///
    /// One that was stopped leaves all as it is: nothing tells whether it is started again in a moment, and an update on the master
    /// must not give the address away. Where none is, `wanctld --hand-over` undoes it some seconds later.
    package mutating func daemonEnded(result: String?, exitStatus: String?) -> [String] {
        do throws(SystemCallError) {
            guard let result, result != "success" else {
                try note(crashes: 0)
                return []
            }
            try note(crashes: crashes == .max ? crashes : crashes + 1)
        } catch {
            return ["refused: \(error)"]
        }
        // Those that the unit does not start again (RestartPreventExitStatus=).
        let isLast = ["64", "65", "77"].contains(exitStatus)
        if isLast { return undo() }
        // Others will come, and crash as soon: any box with a good line is better. Not `none`, or two boxes with the same fault would
        // hand the address to each other as often as one of theirs lives for a moment.
        return isUnreliable ? undo(as: NodeHealth.held) : []
    }

    /// For a box on which no daemon comes after this one: keepalived hears that it leads nowhere, so that a better box takes the
    /// address, and what is left of the LAN's traffic is forwarded again. What was done, in words.
    ///
    /// - Parameters:
    ///   - health: What keepalived hears.
    ///   - pass: Waits for so long.
    package mutating func undo(
        as health: Int = NodeHealth.none, pass: (Duration) throws(SystemCallError) -> Void = UndoRecord.pass
    ) -> [String] {
        var done: [String] = []
        do throws(SystemCallError) {
            if let trackFile {
                let word = try Privileges.asOwner(of: directory) { () throws(SystemCallError) in
                    try giveAway(HealthFile(trackFile), as: health, pass: pass)
                }
                if let word { done.append(word) }
            }
        } catch {
            done.append("refused: keepalived still thinks that this box is good: \(error)")
        }
        for interface in silenced.sorted() where NetworkNamespace.hasInterface(interface) {
            if let text = KernelSettings.setForwarding(true, from: interface) { done.append(text) }
        }
        do throws(SystemCallError) {
            try note(silenced: [])
        } catch {
            done.append("refused: \(error)")
        }
        return done
    }

    /// Makes the file say `health`, and before it, where keepalived needs that, `yield` for a second. What was done, in words; `nil`
    /// where nothing had to be.
    ///
    /// Only what is a health's file is written. One that is missing is 0 to keepalived already.
    private func giveAway(
        _ file: HealthFile, as health: Int, pass: (Duration) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> String? {
        let standing = file.standing
        switch standing {
        case .missing: return nil
        case .foreign(let why): return "refused: \(file.path) is \(why), and stays as it is"
        case .closed, .says: break
        }
        if mustGive, case .says(let value?) = standing, value > NodeHealth.held {
            try file.write(NodeHealth.yield)
            try pass(.seconds(1))
            // A daemon that has come meanwhile says it better.
            guard file.found == NodeHealth.yield else { return nil }
        }
        return try file.write(health) ? "health \(health) for keepalived, in \(file.path)" : nil
    }

    package static func pass(_ span: Duration) throws(SystemCallError) {
        let loop = try EventLoop()
        loop.schedule(at: Clock.boottime() + span.nanoseconds) { loop.stop() }
        try loop.run()
    }
}
