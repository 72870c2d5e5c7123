internal import WANModel

/// A policy taken in: the first, or another one while everything runs.
extension Engine {
    mutating func reload(_ setup: EngineSetup, at now: Moment) {
        failover = setup.failover
        apply(setup, at: now)
        if let pin, index(of: pin.uplink) == nil {
            self.pin = nil
            outputs += [.event(.pinEnded(pin.uplink, reason: "the policy no longer has this uplink")), .remember]
        }
        requestChoice(because: .reload)
    }

    mutating func apply(_ setup: EngineSetup, at now: Moment) {
        records = setup.uplinks.map { member in
            let (number, settings) = (member.number, member.settings)
            guard var old = records.first(where: { $0.number == number }), old.settings.interface == settings.interface
            else {
                var fresh = UplinkRecord(number: number, settings: settings, at: now)
                fresh.keepalive = settings.keepalive.map { KeepaliveRecord($0, at: now) }
                // What the operator said holds for the name, whatever interface it has.
                if let former = records.first(where: { $0.number == number }) {
                    fresh.isDrained = former.isDrained
                    fresh.speedOverride = former.speedOverride
                    if former.isDisabled { fresh.disable() }
                }
                return fresh
            }
            guard old.settings != settings else { return old }
            let before = old.settings
            old.settings = settings
            if before.probe.targets != settings.probe.targets
                || before.probe.degraded?.window != settings.probe.degraded?.window
            {
                old.targets = UplinkRecord(number: number, settings: settings, at: now).targets
                old.forgetProbes()
                if old.state == .suspect { old.state = old.calmState }
                old.nextProbe = now
            }
            if before.probe.interval != settings.probe.interval { old.nextProbe = now }
            if before.keepalive != settings.keepalive {
                old.keepalive = settings.keepalive.map { KeepaliveRecord($0, at: now) }
            }
            if before.soracom != settings.soracom {
                old.speed = settings.soracom.map { SpeedClassRecord(wanted: $0.standby, at: now) }
                if settings.soracom == nil { old.raisedUntil = nil }
            }
            return old
        }
        apply(setup.classes, at: now)
        requestChoice()
    }

    /// Classes that say the same as before go on as they were.
    private mutating func apply(_ setup: [EngineSetup.Class], at now: Moment) {
        let before = classes
        classes = setup.enumerated().map { classIndex, settings in
            var fresh = ClassRecord(settings: settings)
            // The first is always that of `failover`, whatever it says now.
            let former = classIndex == 0 ? before.first : before.first { $0.settings.key == settings.key }
            if let active = former?.choice.active.filter({ index(of: $0) != nil }) {
                fresh.choice = fresh.choice(of: active) ?? ClassChoice(step: [], active: active)
            }
            return fresh
        }
        guard !before.isEmpty else {
            if let adopted {
                classes[0].choice = classes[0].choice(of: [adopted]) ?? ClassChoice(step: [], active: [adopted])
            }
            return
        }
        /// What is left of a class that is gone goes on as what follows `failover` does.
        func heir(of classIndex: Int, _ key: String) -> Int {
            classIndex == 0 ? 0 : classes.firstIndex { $0.settings.key == key } ?? 0
        }
        for index in records.indices {
            var departures: [Int: Departure] = [:]
            for (classIndex, departure) in records[index].departures {
                let heir = heir(of: classIndex, before[classIndex].settings.key)
                // Where the heir's new flows go anyway, its old ones are at home.
                if classes[heir].choice.active.contains(records[index].number) { continue }
                if departure.until > departures[heir]?.until ?? .zero { departures[heir] = departure }
            }
            records[index].departures = departures
            records[index].stranded = Set(records[index].stranded.map { heir(of: $0, before[$0].settings.key) })
        }
        // So do the flows of its rules that are still at work where new ones will not go.
        for gone in before where !classes.contains(where: { $0.settings.key == gone.settings.key }) {
            for number in gone.choice.active where !classes[0].choice.active.contains(number) {
                guard let index = index(of: number), drains(index), records[index].departures[0] == nil else {
                    continue
                }
                letDrain(index, 0, at: now)
            }
        }
    }
}
