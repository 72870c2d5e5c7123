internal import NetworkTypes
package import WANModel

/// What the operator said and what must outlive the daemon.
package struct EngineMemory: Hashable, Sendable {
    package var pin: Selection.Pin?
    package var disabled: Set<UplinkNumber> = []
    package var drained: Set<UplinkNumber> = []
    /// Speed classes the operator set by hand.
    package var speedOverrides: [UplinkNumber: String] = [:]

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
        }
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
