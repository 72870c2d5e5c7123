package import NetworkTypes
internal import Synchronization

extension Lab {
    /// The provider gives an uplink another address while its interface stays: a PPP session negotiated anew, another DHCP
    /// lease.
    package func renumber(_ uplink: LabUplink, to address: IPv4Address) throws(LabError) {
        let old = self.address(of: uplink)
        if uplink.isPointToPoint {
            let change = Assembly.newAddress(address, of: uplink)
            try mustRun(in: .inet, ["ip", "-batch", "-"], input: change.routes)
            try mustRun(in: .inet, ["nft", "-f", "-"], input: change.ruleset)
        }
        state.withLock { state in
            state.addresses[uplink] = address
            if uplink.isPointToPoint { state.owners[address] = uplink }
        }
        let (interface, gateway) = (uplink.interface, uplink.gateway)
        try mustRun(
            in: .router, ["ip", "-batch", "-"],
            input: uplink.isPointToPoint
                ? "addr del \(old) peer \(gateway) dev \(interface)\naddr add \(address) peer \(gateway) dev \(interface)\n"
                : "addr del \(old)/24 dev \(interface)\naddr add \(address)/24 brd + dev \(interface)\n")
    }
}
