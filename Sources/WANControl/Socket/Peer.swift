package import LinuxIO

/// Who sends a request, by the kernel's word (SO_PEERCRED and SO_PEERGROUPS, unix(7)).
package struct Peer: Hashable, Sendable, CustomStringConvertible {
    package var pid: Int32
    package var uid: UInt32
    /// The primary group and all supplementary ones.
    package var groups: Set<UInt32>

    package init(pid: Int32, uid: UInt32, groups: Set<UInt32>) {
        self.pid = pid
        self.uid = uid
        self.groups = groups
    }

    package init(_ credentials: UnixStream.PeerCredentials) {
        self.init(pid: credentials.pid, uid: credentials.uid, groups: Set(credentials.groups + [credentials.gid]))
    }

    package var description: String { "uid \(uid), pid \(pid)" }
}

/// Who may do what over the control socket.
package struct ControlAccess: Hashable, Sendable {
    /// The name of the group whose members may act.
    package static let groupName = "wanctl"

    package var daemonUser: UInt32
    /// Its number; `nil` where this machine has no such group.
    package var group: UInt32?

    package init(daemonUser: UInt32, group: UInt32?) {
        self.daemonUser = daemonUser
        self.group = group
    }

    /// As this process and /etc/group say.
    package static func ofThisProcess() throws(SystemCallError) -> ControlAccess {
        ControlAccess(
            daemonUser: Accounts.effectiveUser(), group: try Accounts.group(named: groupName))
    }

    /// Root, the daemon's own user and the group's members.
    package func mayAct(_ peer: Peer) -> Bool {
        peer.uid == 0 || peer.uid == daemonUser || group.map { peer.groups.contains($0) } == true
    }

    /// `nil` where the peer may do it; otherwise the refusal, which says who may.
    package func refusal(of request: ControlRequest, by peer: Peer) -> ControlRefusal? {
        if request.isReading || mayAct(peer) { return nil }
        let who = group == nil ? "root" : "root and the group \(Self.groupName)"
        return ControlRefusal(
            .notPermitted, "only \(who) may do this (\(request.verb.rawValue)); you are \(peer)")
    }
}
