internal import WANModel

extension Reading {
    /// How an uplink is asked; every field has a default.
    mutating func probe(_ field: Field?, path: String) -> ProbeSettings? {
        guard let section = section(field, .probe, path: path) else { return nil }
        var probe = ProbeSettings()
        probe.targets = addresses(section["targets"], limit: 16) ?? probe.targets
        probe.interval = duration(section["interval"], in: .milliseconds(10)...(.seconds(3600))) ?? probe.interval
        probe.lossInterval = lossInterval(section["loss-interval"]) ?? probe.lossInterval
        probe.confirm = confirm(section["confirm"], path: "\(path).confirm") ?? probe.confirm
        probe.patience = duration(section["patience"], in: .zero ... .seconds(60))
        probe.quorum = quorum(section["quorum"], targets: probe.targets.count) ?? probe.quorum
        probe.fall = integer(section["fall"], in: 1...1000) ?? probe.fall
        probe.rise = integer(section["rise"], in: 1...1000) ?? probe.rise
        probe.degraded = degraded(section["degraded"], path: "\(path).degraded", interval: probe.interval)
        warnAboutFall(section, probe)
        return probe
    }

    private mutating func lossInterval(_ field: Field?) -> ProbeSettings.LossInterval? {
        if field?.node.text == "auto" { return .auto }
        return duration(field, in: .milliseconds(1)...(.seconds(60))).map { .fixed($0) }
    }

    private mutating func confirm(_ field: Field?, path: String) -> ProbeSettings.Confirm? {
        guard let field else { return nil }
        if let text = field.node.text, !isMissing(field) {
            switch text {
            case "auto": return .auto
            case "off": return .off
            default:
                fault(
                    field.position, "confirm must be auto, off or {rounds: 4, spacing: 50ms}, not \(text.quoted)",
                    ["no", "false", "none"].contains(text.lowercased()) ? "write off" : nil)
                return nil
            }
        }
        guard let section = section(field, .confirm, path: path) else { return nil }
        guard let rounds = section["rounds"] else {
            fault(section.position, "confirm has no rounds", "write it like {rounds: 4, spacing: 50ms}")
            return nil
        }
        let spacing = duration(section["spacing"], in: .milliseconds(10)...(.seconds(10))) ?? .milliseconds(50)
        return integer(rounds, in: 1...100).map { .rounds($0, spacing: spacing) }
    }

    private mutating func quorum(_ field: Field?, targets: Int) -> Int? {
        guard let field, let quorum = integer(field, in: 1...16) else { return nil }
        if quorum <= targets { return quorum }
        fault(
            field.position, "quorum \(quorum) can never be met",
            targets == 1 ? "there is 1 target" : "there are \(targets) targets")
        return nil
    }

    private mutating func degraded(_ field: Field?, path: String, interval: Duration) -> Degraded? {
        guard let section = section(field, .degraded, path: path) else { return nil }
        var degraded = Degraded()
        degraded.loss = percentage(section["loss"])
        degraded.rtt = duration(section["rtt"], in: .milliseconds(1)...(.seconds(60)))
        degraded.jitter = duration(section["jitter"], in: .milliseconds(1)...(.seconds(60)))
        degraded.window = duration(section["window"], in: .seconds(1)...(.seconds(3600))) ?? degraded.window
        if section["loss"] == nil, section["rtt"] == nil, section["jitter"] == nil {
            fault(section.position, "degraded has no limit", "add loss, rtt or jitter")
        }
        if degraded.window < interval {
            fault(
                section["window"]?.position ?? section.position,
                "window \(degraded.window.durationText) is shorter than interval \(interval.durationText)",
                "it must hold some probes")
        }
        return degraded
    }

    private mutating func warnAboutFall(_ section: Section, _ probe: ProbeSettings) {
        let position = section.keyPosition("fall") ?? section.keyPosition("confirm") ?? section.position
        if probe.confirm == .off, probe.fall == 1 {
            warn(position, "with confirm off and fall 1 one lost probe takes the uplink down", "set fall to 3")
        } else if probe.confirm != .off, probe.fall != 1 {
            warn(position, "fall \(probe.fall) has no effect", "it counts with `confirm: off` only")
        }
    }
}
