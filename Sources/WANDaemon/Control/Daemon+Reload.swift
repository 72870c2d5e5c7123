internal import LinuxIO
internal import Nftables
internal import WANControl
internal import WANEngine
internal import WANModel

/// Another policy for a router that runs.
extension Daemon {
    /// Takes a new policy in, or refuses it with every fault and goes on with the one in force.
    func reload(because reason: String, reply: ControlReply? = nil) {
        service.notify("RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        defer { service.notify("READY=1", "STATUS=\(summary())") }
        let fresh: LoadedPolicy
        do throws(ControlRefusal) {
            fresh = try LoadedPolicy.load(options.policy, node: node)
        } catch {
            return refuse(error, because: reason, reply)
        }
        do throws(NftablesError) {
            try adopt(fresh)
        } catch {
            let lines = error.text.split(separator: "\n").map(String.init)
            return refuse(
                ControlRefusal(.refused, "the nft table of the policy is refused", details: lines), because: reason,
                reply)
        }
        alarms.clear(.reload)
        for warning in fresh.warnings { log(.warning, warning) }
        note(.reload, "\(options.policy) is in force (\(reason))")
        reply?.finish(ActionReport(done: "\(options.policy) is in force", warnings: fresh.warnings).json)
    }

    func refuse(_ refusal: ControlRefusal, because reason: String, _ reply: ControlReply? = nil) {
        for detail in refusal.details { log(.error, detail) }
        let outcome =
            substitute.map { "the policy of \($0.adoptedAt.text) stays in force" } ?? "the policy in force stays"
        note(.reload, "refused (\(reason)): \(refusal.reason); \(outcome)")
        alarms.raise(
            .reload,
            substitute?.sentence(options.policy, refusal)
                ?? "the policy file was refused and the one in force stays: \(refusal.details.first ?? refusal.reason)")
        reply?.fail(ControlRefusal(refusal.code, "\(refusal.reason); \(outcome)", details: refusal.details))
    }

    /// What is in force, for a start without it. One whose table is refused is none to start with, and one that stands in is kept.
    func keepPolicy() {
        guard router.table.fault == nil, substitute == nil else { return }
        let now = Timestamp(unixMilliseconds: Timestamp.now().unixMilliseconds / 1000 * 1000)
        recorder.keep(KeptPolicy(node: node, path: loaded.path, adoptedAt: now, files: loaded.files))
    }
}
