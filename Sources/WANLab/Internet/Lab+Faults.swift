package import NetworkTypes
internal import Synchronization

extension Lab {
    /// Everything as it was built, but for the addresses: lines, targets, carriers, interfaces.
    package func clearFaults() throws(LabError) {
        for uplink in LabUplink.allCases { try clearFaults(uplink) }
    }

    /// The router's address on an uplink, now or when it was last there.
    package func address(of uplink: LabUplink) -> IPv4Address {
        state.withLock { $0.addresses[uplink] ?? uplink.address }
    }

    package func renew(_ uplink: LabUplink, _ wanted: IPv4Address?) throws(LabError) -> IPv4Address {
        let old = address(of: uplink)
        if let wanted, wanted != old { try assign(wanted, to: uplink) }
        return wanted ?? old
    }

    /// The provider gives an uplink another address while its interface stays: a PPP session negotiated anew, another DHCP
    /// lease.
    package func renumber(_ uplink: LabUplink, to address: IPv4Address) throws(LabError) {
        let old = self.address(of: uplink)
        try assign(address, to: uplink)
        let (interface, gateway) = (uplink.interface, uplink.gateway)
        try change(
            .router,
            uplink.isPointToPoint
                ? "addr del \(old) peer \(gateway) dev \(interface)\naddr add \(address) peer \(gateway) dev \(interface)\n"
                : "addr del \(old)/24 dev \(interface)\naddr add \(address)/24 brd + dev \(interface)\n")
    }

    /// The provider's end of it.
    private func assign(_ address: IPv4Address, to uplink: LabUplink) throws(LabError) {
        if uplink.isPointToPoint {
            let news = Assembly.newAddress(address, of: uplink)
            try change(.inet, news.routes)
            try load(news.ruleset, in: .inet)
        }
        state.withLock { state in
            state.addresses[uplink] = address
            if uplink.isPointToPoint { state.owners[address] = uplink }
        }
    }
}

extension Laboratory {
    /// A target that dies, revives, or loses a share of what is asked: over one uplink, or over all.
    package func setTarget(
        _ address: IPv4Address, _ health: TargetHealth, over uplink: LabUplink? = nil
    ) throws(LabError) {
        let uplinks = uplink.map { [$0] } ?? Array(routers.keys)
        try onWires { wires in
            for uplink in uplinks {
                try wires[uplink].change(.up) { $0.lossOf[address.bits] = health == .alive ? nil : health.loss }
            }
        }
    }
}

extension Wire {
    /// All but those that make or remove the interface.
    func suffer(_ fault: Fault, gateway: IPv4Address, at moment: Int64) throws {
        switch fault {
        case .delay(let delay, let way):
            change(way) { $0.delay = delay.nanoseconds / (way == .both ? 2 : 1) }
        case .jitter(let jitter, let way):
            change(way) { $0.jitter = jitter.nanoseconds / (way == .both ? 2 : 1) }
        case .loss(let loss, let way):
            change(way) { $0.loss = way == .both ? WireDirection.oneWay(loss) : loss }
        case .rate(let rate, let way): change(way) { $0.rate = rate }
        case .blackhole(let way): change(way) { $0.silentUntil = .max }
        case .silence(let duration, let way): change(way) { $0.silentUntil = moment + duration.nanoseconds }
        case .dropNext(let count, let way): change(way) { $0.dropNext = count }
        case .upstreamDead: change(.both) { $0.reachableOnly = gateway.bits }
        case .carrierOff: try setCarrier(false)
        case .carrierOn: try setCarrier(true)
        case .gone, .back: preconditionFailure("made by setFault itself")
        }
    }
}
