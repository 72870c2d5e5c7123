internal import NetworkTypes
package import WANModel

/// What the operator said and what must outlive the daemon.
package struct EngineMemory: Hashable, Sendable {
    package var pin: Selection.Pin?
    package var disabled: Set<UplinkNumber> = []
    package var drained: Set<UplinkNumber> = []
    /// Speed classes the operator set by hand.
    package var speedOverrides: [UplinkNumber: String] = [:]
    /// The uplinks of each class of traffic, by `TrafficClass.key`.
    package var choices: [String: [UplinkNumber]] = [:]
    package var drains: [Drain] = []

    /// Flows of a class may finish on an uplink until then.
    package struct Drain: Hashable, Sendable {
        package var uplink: UplinkNumber
        /// `TrafficClass.key`
        package var classKey: String
        package var until: Moment
        package init(uplink: UplinkNumber, classKey: String, until: Moment) {
            self.uplink = uplink
            self.classKey = classKey
            self.until = until
        }
    }

    package init() {}
}

extension Engine {
    package var memory: EngineMemory {
        var memory = EngineMemory()
        memory.pin = pin
        for record in records {
            if record.isDisabled { memory.disabled.insert(record.number) }
            if record.isDrained { memory.drained.insert(record.number) }
            memory.speedOverrides[record.number] = record.speedOverride
            for (classIndex, departure) in record.departures.sorted(by: { $0.key < $1.key }) {
                memory.drains.append(
                    .init(uplink: record.number, classKey: classes[classIndex].settings.key, until: departure.until))
            }
        }
        for entry in classes { memory.choices[entry.settings.key] = entry.choice.active }
        return memory
    }

    mutating func recall(_ memory: EngineMemory) {
        pin = memory.pin.flatMap { index(of: $0.uplink) == nil ? nil : $0 }
        for index in records.indices {
            let number = records[index].number
            records[index].isDrained = memory.drained.contains(number)
            records[index].speedOverride = memory.speedOverrides[number]
            if memory.disabled.contains(number) { records[index].disable() }
        }
        for classIndex in classes.indices {
            // What `failover` uses is seen in the kernel's routes; of its shares only the memory tells.
            let known = memory.choices[classes[classIndex].settings.key] ?? []
            if classIndex == 0, let adopted, !known.contains(adopted) { continue }
            guard var choice = classes[classIndex].choice(of: known.filter { index(of: $0) != nil }) else { continue }
            if classIndex == 0 {
                choice.active = choice.active.filter { $0 == adopted } + choice.active.filter { $0 != adopted }
                ladder = choice.active
            }
            classes[classIndex].choice = choice
        }
        for drain in memory.drains {
            guard let index = index(of: drain.uplink) else { continue }
            // Flows of a class that is gone follow `failover`; where their new ones go anyway they are at home.
            let classIndex = classes.firstIndex { $0.settings.key == drain.classKey } ?? 0
            guard !classes[classIndex].choice.active.contains(drain.uplink) else { continue }
            let known = records[index].departures[classIndex]?.until ?? drain.until
            records[index].departures[classIndex] = .drain(until: max(known, drain.until))
        }
    }
}

extension UplinkRecord {
    /// As the operator said in an earlier life of this record.
    mutating func disable() {
        isDisabled = true
        state = .disabled
        reason = "by the operator"
    }
}
