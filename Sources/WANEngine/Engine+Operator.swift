internal import NetworkTypes
package import WANModel

/// What the operator may do, and what it does.
extension Engine {
    /// Why a command cannot be carried out now; `nil`: it can.
    package func refusal(of command: OperatorCommand) -> String? {
        switch command {
        case .auto: return nil
        case .failover(let uplink, _, let force, _):
            guard let index = index(of: uplink) else { return "there is no such uplink" }
            let record = records[index]
            if record.isDisabled {
                return "\(record.settings.name) is disabled; `wanctl enable \(record.settings.name)` first"
            }
            if force { return nil }
            if record.isDrained {
                return
                    "\(record.settings.name) is being kept empty; `wanctl enable \(record.settings.name)` first, or --force"
            }
            guard record.state.isUsable else {
                return
                    "\(record.settings.name) is \(record.state.rawValue): \(record.reason); --force to switch all the same"
            }
            return nil
        case .drain(let uplink), .disable(let uplink):
            guard let index = index(of: uplink) else { return "there is no such uplink" }
            let others = records.contains { $0.number != uplink && $0.isEligible && order.contains($0.number) }
            // A backup's choice carries nothing, and another box the traffic.
            if !isBackup, share.contains(uplink), !others {
                return "\(records[index].settings.name) carries the traffic and no other uplink is usable"
            }
            return nil
        case .enable(let uplink), .probe(let uplink):
            return index(of: uplink) == nil ? "there is no such uplink" : nil
        case .speed(let uplink, _):
            guard let index = index(of: uplink) else { return "there is no such uplink" }
            return records[index].speed == nil ? "\(records[index].settings.name) is no SORACOM uplink" : nil
        }
    }

    /// Whether something answered on the uplink within its patience.
    package func wasHeardLately(_ uplink: UplinkNumber, at now: Moment) -> Bool {
        guard let index = index(of: uplink), let last = records[index].lastAnswer else { return false }
        return now - last <= records[index].patience
    }

    /// How long to wait for its answer where it is asked before traffic is put on it: 300 ms, and for a line whose answers are known to
    /// take long what its probes are given.
    package func answerTime(of uplink: UplinkNumber) -> Duration {
        let ordinary = Duration.milliseconds(300)
        guard let index = index(of: uplink), let rtt = records[index].rtt, rtt > ordinary / 2 else { return ordinary }
        let record = records[index]
        return max(ordinary, record.targets.indices.map(record.lossInterval).max() ?? ordinary)
    }

    mutating func obey(_ command: OperatorCommand, at now: Moment) {
        guard refusal(of: command) == nil else { return }
        let cause: String
        switch command {
        case .failover(let uplink, let until, let force, let strict):
            guard let index = index(of: uplink) else { return }
            let isForced = force && !records[index].state.isUsable
            pin = Selection.Pin(uplink: uplink, until: until, strict: strict, force: isForced)
            records[index].isDrained = false
            // The operator's word is worth more than the hold time.
            records[index].holdUntil = nil
            cause = "failover \(name(uplink))"
        case .auto:
            pin = nil
            cause = "auto"
        case .drain(let uplink):
            guard let index = index(of: uplink) else { return }
            records[index].isDrained = true
            if pin?.uplink == uplink { pin = nil }
            drainAll(of: index, at: now)
            cause = "drain \(name(uplink))"
        case .enable(let uplink):
            guard let index = index(of: uplink) else { return }
            let wasDisabled = records[index].isDisabled
            records[index].isDrained = false
            records[index].isDisabled = false
            if wasDisabled {
                let state: UplinkState = records[index].isPresent ? .proving : .absent
                records[index].forgetProbes()
                setState(of: index, to: state, reason: "enabled by the operator", at: now)
            }
            cause = "enable \(name(uplink))"
        case .disable(let uplink):
            guard let index = index(of: uplink) else { return }
            records[index].isDisabled = true
            if pin?.uplink == uplink { pin = nil }
            fall(index, to: .disabled, reason: "by the operator", at: now)
            cause = "disable \(name(uplink))"
        case .speed(let uplink, let speedClass):
            guard let index = index(of: uplink) else { return }
            records[index].speedOverride = speedClass
            outputs.append(.remember)
            return
        case .probe(let uplink):
            guard let index = index(of: uplink), records[index].isPresent else { return }
            sendRound(of: index, at: now)
            return
        }
        requestChoice(because: .command(cause))
        outputs.append(.remember)
    }
}
