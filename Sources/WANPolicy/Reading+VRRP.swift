internal import NetworkTypes
internal import WANModel

extension Reading {
    /// The virtual router that the boxes share; what stands in every VRRP packet must be given, the rest has defaults.
    mutating func vrrp(_ section: Section) -> VRRP? {
        guard let field = section["vrrp"] else {
            if let position = section.keyPosition("nodes") {
                fault(
                    position, "nodes needs vrrp",
                    "say which address they share, such as vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24}"
                )
            }
            return nil
        }
        let position = section.keyPosition("vrrp") ?? field.position
        use(.vrrp, at: position)
        if section["nodes"] == nil { fault(position, "vrrp needs nodes", "name the boxes that share the address") }
        guard let keys = self.section(field, .vrrp, path: "vrrp", at: position) else { return nil }
        for key in ["instance", "interface", "router-id", "address"] where keys[key] == nil {
            fault(position, "vrrp has no \(key)")
        }
        let instance = instanceName(keys["instance"])
        let interface = interface(keys["interface"])
        let routerID = integer(keys["router-id"], in: 1...255)  // VRID, RFC 9568 section 5.2.3
        let address = hostAddress(interfaceAddress(keys["address"]), at: keys["address"]?.position ?? position)
        // Read even where one of those is missing, so that all faults are told at once.
        var vrrp = VRRP(
            instance: instance ?? "", interface: interface ?? "", routerID: UInt8(routerID ?? 1),
            address: address ?? IPPrefix(host: .v4(IPv4Address(bits: 0))))
        settings(of: &vrrp, from: keys)
        return [instance == nil, interface == nil, routerID == nil, address == nil].contains(true) ? nil : vrrp
    }

    /// No address of a network as such, and none for all of its hosts: nobody can have it.
    private mutating func hostAddress(_ prefix: IPPrefix?, at position: SourcePosition) -> IPPrefix? {
        guard let prefix, case .v4(let address) = prefix.address, prefix.length < 31 else { return prefix }
        let hostBits = UInt32.max >> UInt32(prefix.length)
        let host = address.bits & hostBits
        guard host == 0 || host == hostBits else { return prefix }
        fault(
            position, "address \(prefix) is the \(host == 0 ? "network" : "broadcast address") itself",
            "write the address that the hosts have as their gateway, such as 192.168.0.254/24")
        return nil
    }

    private mutating func settings(of vrrp: inout VRRP, from keys: Section) {
        vrrp.advertisement = advertisement(keys["advertisement"]) ?? vrrp.advertisement
        vrrp.preempts = boolean(keys["preempt"]) ?? vrrp.preempts
        vrrp.preemptDelay = duration(keys["preempt-delay"], in: .zero ... .seconds(1000)) ?? vrrp.preemptDelay
        if !vrrp.preempts, vrrp.preemptDelay > .zero, let position = keys.keyPosition("preempt-delay") {
            warn(position, "preempt-delay has no effect with preempt: false", "remove one of them")
        }
        vrrp.isUnicast = boolean(keys["unicast"]) ?? vrrp.isUnicast
        vrrp.priority = integer(keys["priority"], in: 1...NodeHealth.highestBase(count: 1)) ?? vrrp.priority
        vrrp.trackFile = path(keys["track-file"]) ?? vrrp.trackFile
        vrrp.notifyFIFO = path(keys["notify-fifo"]) ?? vrrp.notifyFIFO
        let position = keys.keyPosition("notify-fifo") ?? keys.keyPosition("track-file")
        if vrrp.trackFile == vrrp.notifyFIFO, let position {
            fault(position, "track-file and notify-fifo are the same file", "give each its own")
        }
        vrrp.key = key(keys["key"])
        if let backup = section(keys["backup"], .backup, path: "vrrp.backup") {
            vrrp.backupForwarding =
                word(backup["forwarding"], of: VRRP.BackupForwarding.self) ?? vrrp.backupForwarding
        }
    }

    /// 12 bits of hundredths of a second (RFC 9568 section 5.2.7).
    private mutating func advertisement(_ field: Field?) -> Duration? {
        guard let value = duration(field, in: .milliseconds(10) ... .seconds(40)), let field else { return nil }
        if value.nanoseconds % 10_000_000 != 0 {
            fault(
                field.position, "\(field.name) \(value.policyText) is no multiple of 10ms",
                "VRRP counts hundredths of a second")
            return nil
        }
        return value
    }

    /// A name that stands in keepalived's file and in its notices without quotes.
    private mutating func instanceName(_ field: Field?) -> String? {
        guard let field, let name = text(field, "the name of a vrrp_instance, such as VI_1") else { return nil }
        guard name.utf8.allSatisfy(isNameByte), (1...32).contains(name.utf8.count) else {
            fault(
                field.position, "instance \(name.quoted) cannot be used",
                "write 1 to 32 letters, digits and . _ -, such as VI_1")
            return nil
        }
        return name
    }

    /// A path, or the name of a credential as a SIM has it.
    private mutating func key(_ field: Field?) -> String? {
        guard let field else { return nil }
        return field.node.text?.hasPrefix("/") ?? false ? path(field) : credentials(field)
    }

    /// An absolute path as it may stand in keepalived's file without escapes: `$`, `@`, `!`, `#` and `~` mean something there.
    private mutating func path(_ field: Field?) -> String? {
        guard let field, let path = text(field, "a path such as \(VRRP.defaultTrackFile)") else { return nil }
        let isPlain = path.utf8.allSatisfy { isNameByte($0) || [0x2b, 0x2c, 0x2f, 0x3a, 0x3d].contains($0) }
        guard path.first == "/", path.last != "/", isPlain, path.utf8.count <= 200,
            !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else {
            fault(
                field.position, "\(field.name) \(path.quoted) cannot be used",
                "write an absolute path of letters, digits and + , - . / : = _")
            return nil
        }
        return path
    }
}
