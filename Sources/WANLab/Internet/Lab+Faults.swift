internal import LinuxIO
package import NetworkTypes
internal import Synchronization

extension Lab {
    /// Lets something go wrong, or right; the moment it took effect (`Clock.boottime`).
    @discardableResult
    package func setFault(_ uplink: LabUplink, _ fault: Fault) throws(LabError) -> Int64 {
        switch fault {
        case .gone:
            return try onWires { wires in
                let moment = Clock.boottime()
                try wires[uplink].unplugNear()
                return moment
            }
        case .back(let address): return try bringBack(uplink, address)
        default:
            return try onWires { wires in
                let moment = Clock.boottime()
                try Self.apply(fault, to: try wires[uplink], gateway: uplink.gateway, at: moment)
                return moment
            }
        }
    }

    /// Everything as it was built, but for the addresses: lines, targets, carriers, interfaces. Of one uplink, or of all.
    package func clearFaults(_ uplink: LabUplink? = nil) throws(LabError) {
        for uplink in uplink.map({ [$0] }) ?? LabUplink.allCases {
            let isPlugged = try onWires { wires in
                try wires.reset(uplink)
                let isPlugged = try wires[uplink].isPlugged
                if isPlugged { try wires[uplink].setCarrier(true) }
                return isPlugged
            }
            if !isPlugged { try bringBack(uplink, nil) }
        }
    }

    /// A target that dies, revives, or loses a share of what is asked: over one uplink, or over all.
    package func setTarget(
        _ address: IPv4Address, _ health: TargetHealth, over uplink: LabUplink? = nil
    ) throws(LabError) {
        try onWires { wires in
            for uplink in uplink.map({ [$0] }) ?? LabUplink.allCases {
                try wires[uplink].change(.up) { $0.lossOf[address.bits] = health == .alive ? nil : health.loss }
            }
        }
    }

    /// The router's address on an uplink, now or when it was last there.
    package func address(of uplink: LabUplink) -> IPv4Address {
        state.withLock { $0.addresses[uplink] ?? uplink.address }
    }

    @discardableResult
    private func bringBack(_ uplink: LabUplink, _ wanted: IPv4Address?) throws(LabError) -> Int64 {
        let old = address(of: uplink)
        let address = wanted ?? old
        if address != old, uplink.isPointToPoint {
            let change = Assembly.newAddress(address, of: uplink)
            try life.mustRun(["ip", "-n", namespaceName(.inet), "-batch", "-"], input: change.routes)
            try life.mustRun(["nft", "-f", "-"], in: namespaceName(.inet), input: change.ruleset)
        }
        state.withLock { state in
            state.addresses[uplink] = address
            if uplink.isPointToPoint { state.owners[address] = uplink }
        }
        try onWires { wires in
            try wires.reset(uplink)
            try wires.plug(uplink)
        }
        try life.mustRun(
            ["ip", "-n", namespaceName(.router), "-batch", "-"],
            input: Assembly.routerEnd(of: uplink, address: address))
        return Clock.boottime()
    }

    /// All but those that make or remove the interface.
    static func apply(_ fault: Fault, to wire: Wire, gateway: IPv4Address, at moment: Int64) throws {
        switch fault {
        case .delay(let delay, let way):
            wire.change(way) { $0.delay = delay.nanoseconds / (way == .both ? 2 : 1) }
        case .jitter(let jitter, let way):
            wire.change(way) { $0.jitter = jitter.nanoseconds / (way == .both ? 2 : 1) }
        case .loss(let loss, let way):
            wire.change(way) { $0.loss = way == .both ? WireDirection.oneWay(loss) : loss }
        case .rate(let rate, let way): wire.change(way) { $0.rate = rate }
        case .blackhole(let way): wire.change(way) { $0.silentUntil = .max }
        case .silence(let duration, let way): wire.change(way) { $0.silentUntil = moment + duration.nanoseconds }
        case .dropNext(let count, let way): wire.change(way) { $0.dropNext = count }
        case .upstreamDead: wire.change(.both) { $0.reachableOnly = gateway.bits }
        case .carrierOff: try wire.setCarrier(false)
        case .carrierOn: try wire.setCarrier(true)
        case .gone, .back: preconditionFailure("made by setFault itself")
        }
    }
}
