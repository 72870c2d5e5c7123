internal import WANEngine
internal import WANModel

/// What `DrainWatch` has to know, and what comes of it.
extension Daemon {
    func watchDrains() {
        drainWatch.line = { [unowned self] number in
            guard let view = engine.view(of: number, at: Daemon.moment()) else { return nil }
            let classes = FlowClasses(policy)
            return DrainWatch.Line(name: view.name, drainsUntil: view.drainsUntil, graceUntil: view.graceUntil) {
                [unowned self] entry in
                // What came in by a line that works and costs nothing stays, and holds no drain open.
                if !view.isDrained, !view.isMetered, flows.cameIn(entry, by: number) { return false }
                // Where no class goes any more, everything that is left is old.
                return view.classes.isEmpty || view.drainingClasses.isSuperset(of: classes.classIndices(of: entry))
            }
        }
        drainWatch.entries = { [unowned self] number in
            try flows.entries(on: number, in: policy)
        }
        drainWatch.interfaceBytes = { [unowned self] number in
            router.counters(of: number).map { $0.rxBytes &+ $0.txBytes } ?? 0
        }
        drainWatch.onSettled = { [unowned self] number, reason in feed(.drainSettled(number, reason: reason)) }
        followDrains()
    }

    /// After each change of the engine.
    func followDrains() {
        var draining: [UplinkNumber: DrainWatch.Beginning] = [:]
        for (number, classes) in engine.draining {
            draining[number] = .init(classes: classes, isMetered: uplink(number)?.metered ?? false)
        }
        drainWatch.follow(draining, limits: policy.failover.drain)
    }
}
