internal import LinuxIO
internal import NetworkTypes
internal import Nftables
internal import WANControl
internal import WANEngine
internal import WANModel
internal import WANProbes

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
        note(kind: "reload", "\(options.policy) is in force (\(reason))")
        reply?.finish(ActionReport(done: "\(options.policy) is in force", warnings: fresh.warnings).json)
    }

    private func refuse(_ refusal: ControlRefusal, because reason: String, _ reply: ControlReply?) {
        for detail in refusal.details { log(.error, detail) }
        note(kind: "reload", "refused (\(reason)): \(refusal.reason); the policy in force stays")
        alarms.raise(
            .reload,
            "the policy file was refused and the one in force stays: \(refusal.details.first ?? refusal.reason)")
        reply?.fail(
            ControlRefusal(refusal.code, "\(refusal.reason); the policy in force stays", details: refusal.details))
    }

    /// Takes a policy in; where its table is refused nothing has changed.
    private func adopt(_ fresh: LoadedPolicy) throws(NftablesError) {
        let outgoing = inForce
        let (before, old) = (policy, numbers)
        router.beginExchange(of: dataplaneUplinks())
        let formerSIMs = errands.sims(missingIn: fresh.policy) { number in
            engine.view(of: number, at: Daemon.moment())?.speedClass
        }
        inForce = PolicyInForce(fresh, remembered: old)
        // What is gone, or is another interface now, has to be attached anew. So has everything where the marks change: sockets
        // carry the old bits.
        let left = before.uplinks.filter { policy.uplink(named: $0.name)?.interface != $0.interface }
            .compactMap { old[$0.name] }
        let isMarkedAnew = before.mark != policy.mark
        let dropped = attachments.drop(isMarkedAnew ? Array(old.values) : left)
        let outputs: [EngineOutput]
        do throws(NftablesError) {
            // All so far are values of ours. The table is the first that somebody else may refuse, and the last.
            outputs = try driver.attempt(.reload(EngineSetup(policy: policy, numbers: numbers))) {
                () throws(NftablesError) in try router.table.make()
            }
        } catch {
            inForce = outgoing
            attachments.restore(dropped)
            router.endExchange()
            throw error
        }
        for number in left {
            prober.detach(uplink: number)
            alarms.clear(.probing(number))
        }
        // What was pinned by the old bits is let go.
        if isMarkedAnew { flows.letGo(Array(old.values), in: outgoing) }
        // What comes of it (a courier that cannot be started) waits for the outputs to be done.
        driver.hold { errands.adopt(inForce, without: formerSIMs) }
        takeSite(site.role?.handOver)
        prepareSysctls()
        driver.hold { driver.obey(outputs) }
        refreshAttachments(isAll: true)
        router.endExchange()
        router.reconcile()
        router.table.replace()
        flows.letGo(left, in: outgoing)
        followDrains()
        followNameServers()
        remember()
        for sim in formerSIMs { errands.lower(sim) }
        errands.prepareToken()
        releaseStartupMemory()
    }
}
