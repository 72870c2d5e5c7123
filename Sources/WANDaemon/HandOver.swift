package import LinuxIO
internal import WANModel

/// `wanctld --hand-over`: says in the place of a daemon that is gone that nobody watches this box's lines any more.
///
/// The health that a daemon leaves in keepalived's track file stays there, so that one which is started again finds the address
/// where it was. Where none comes, it would call the box good for ever: nobody would see its line die. What there is to be said
/// and where comes from the state file, because a policy with faults is one of the reasons why a daemon does not come back.
package enum HandOver {
    /// What a daemon leaves for it (`StoredState.health`).
    package struct Place: Hashable, Sendable {
        /// The track file.
        package var file: String
        /// A lower health alone moves nothing (`VRRP.mustGive`).
        package var mustGive: Bool

        package init(file: String, mustGive: Bool) {
            self.file = file
            self.mustGive = mustGive
        }
    }

    /// As the daemon would where its lines all fell: `none`, and before it, where keepalived needs that, a second of `yield`.
    ///
    /// - Parameter pass: waits for so long.
    /// - Returns: what was done, for people; `nil` where this box has no health to tell, or said `none` already.
    package static func perform(
        stateDirectory: String, pass: (Duration) throws(SystemCallError) -> Void = HandOver.pass
    ) throws(SystemCallError) -> String? {
        guard let place = StateStore(directory: stateDirectory).read().0.health else { return nil }
        let file = HealthFile(place.file)
        guard let found = file.found, found != NodeHealth.none else { return nil }
        if place.mustGive, found > NodeHealth.held {
            try file.write(NodeHealth.yield)
            try pass(.seconds(1))
            // A daemon that has come meanwhile says it better.
            guard file.found == NodeHealth.yield else { return nil }
        }
        try file.write(NodeHealth.none)
        return "\(place.file) said \(found) and says \(NodeHealth.none): a box with a working line takes the address"
    }

    /// keepalived reads the file within milliseconds, and the others take the address as quickly.
    package static func pass(_ span: Duration) throws(SystemCallError) {
        let loop = try EventLoop()
        loop.schedule(at: Clock.boottime() + span.nanoseconds) { loop.stop() }
        try loop.run()
    }
}
