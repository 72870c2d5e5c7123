package import WANControl

/// The policy that a daemon starts with: the file's, or the last one that was in force where the file has a fault.
///
/// A router whose policy was edited badly goes on with what it had, also over a restart.
package struct StartPolicy {
    package let loaded: LoadedPolicy
    /// Where it is the one that was kept.
    package let substitute: Substitute?

    /// A kept policy in place of the file's.
    package struct Substitute {
        /// What is wrong with the file.
        package let refusal: ControlRefusal
        package let adoptedAt: Timestamp

        /// For the status, until the file is mended.
        func sentence(_ path: String, _ refusal: ControlRefusal) -> String {
            "\(path) cannot be used (\(refusal.details.first ?? refusal.reason)): running with the policy of "
                + "\(adoptedAt.text); mend the file, then `wanctl reload`"
        }
    }

    /// Refuses with what is wrong with the file where no policy of this box was kept from it, or none that is whole.
    package static func find(_ options: DaemonOptions) throws(ControlRefusal) -> StartPolicy {
        let refusal: ControlRefusal
        do throws(ControlRefusal) {
            return StartPolicy(
                loaded: try LoadedPolicy.load(options.policy, node: options.nodeName), substitute: nil)
        } catch {
            refusal = error
        }
        guard let kept = KeptPolicy.read(options.stateDirectory), kept.node == options.nodeName,
            kept.path == options.policy,
            let loaded = try? LoadedPolicy.load(kept)
        else { throw refusal }
        return StartPolicy(
            loaded: loaded, substitute: Substitute(refusal: refusal, adoptedAt: kept.adoptedAt))
    }
}
