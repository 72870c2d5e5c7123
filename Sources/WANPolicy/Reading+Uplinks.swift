internal import NetworkTypes
internal import WANModel

extension Reading {
    /// The names alone, before anything that names one is read.
    mutating func uplinkNames(_ field: Field?) {
        let names = (field?.node.entries ?? []).map(\.key)
        uplinks = Set(names)
        firstUplinks = Array(names.prefix(Int(UplinkNumber.range.upperBound)))
    }

    /// The ways out, in the order of the file.
    mutating func uplinks(_ field: Field?, at position: SourcePosition, lan: LAN) -> [Uplink] {
        guard let field else {
            fault(position, "uplinks is missing", "name the ways out, such as uplinks: {ftth: {interface: ppp0}}")
            return []
        }
        guard let entries = entries(field) else { return [] }
        let limit = Int(UplinkNumber.range.upperBound)
        if entries.count > limit {
            fault(
                entries[limit].position, "there are \(entries.count) uplinks",
                "at most \(UplinkNumber.range.upperBound) are allowed")
        }
        var found: [Uplink] = []
        for entry in entries.prefix(limit) {
            _ = givenName(entry.key, of: "uplink", at: entry.position)
            if let uplink = uplink(entry) { found.append(uplink) }
        }
        checkInterfaces(found, lan: lan)
        return found
    }

    private mutating func uplink(_ entry: YAMLNode.Entry) -> Uplink? {
        let path = "uplinks.\(entry.key)"
        positions[path] = entry.position
        guard
            let section = section(
                Field(name: entry.key, node: entry.value), .uplink, path: path, at: entry.position)
        else { return nil }
        var uplink = Uplink(name: entry.key, interface: "")
        if let field = section["interface"] {
            uplink.interface = interface(field) ?? ""
        } else {
            fault(section.position, "uplink \(entry.key.quoted) has no interface", "add one, such as interface: ppp0")
        }
        uplink.node = nodeName(section["node"], of: entry)
        uplink.gateway = address(section["gateway"])
        uplink.metered = boolean(section["metered"]) ?? false
        uplink.probe = probe(section["probe"], path: "\(path).probe") ?? uplink.probe
        uplink.soracom = soracom(section["soracom"], path: "\(path).soracom")
        uplink.keepalive = keepalive(section, of: uplink, path: "\(path).keepalive")
        nameServers(section, of: &uplink)
        warnAboutGateway(uplink, at: section.keyPosition("gateway") ?? section.position)
        return uplink
    }

    /// Addresses, or the path of a file where pppd or a DHCP client writes them.
    private mutating func nameServers(_ section: Section, of uplink: inout Uplink) {
        guard let field = section["dns"] else { return }
        use(.dns, at: section.keyPosition("dns") ?? field.position)
        guard let path = field.node.text, !field.node.isNull else {
            uplink.dns = addresses(field, limit: 3) ?? []  // MAXNS of resolv.conf(5)
            for element in field.node.elements ?? [] {
                if let text = element.text { positions["uplinks.\(uplink.name).dns.\(text)"] = element.position }
            }
            return
        }
        let isPath =
            path.hasPrefix("/") && !path.hasSuffix("/") && path.utf8.count < 4096
            && !path.unicodeScalars.contains { $0.properties.generalCategory == .control }
        if isPath {
            uplink.dnsFile = path
        } else if IPAddress(path) != nil {
            fault(field.position, "dns must be a list, such as [\(path)]")
        } else {
            fault(
                field.position, "dns \(path.quoted) is no path",
                "write addresses like [192.0.2.53], or a file that your PPP or DHCP client keeps, like /etc/ppp/resolv.conf"
            )
        }
    }

    private mutating func nodeName(_ field: Field?, of entry: YAMLNode.Entry) -> String? {
        guard let field else {
            if !nodes.isEmpty {
                fault(
                    entry.position, "uplink \(entry.key.quoted) has no node",
                    "say which box has it: \(nodes.alternatives)")
            }
            return nil
        }
        guard let name = text(field, "the name of a node") else { return nil }
        if nodes.contains(name) { return name }
        if nodes.isEmpty {
            fault(field.position, "node \(name.quoted) is not declared", "add nodes: with its address, or remove this")
        } else {
            unknown("node", name, at: field.position, known: nodes)
        }
        return nil
    }

    /// One uplink, one interface, on each box; and the LAN is no way out.
    private mutating func checkInterfaces(_ uplinks: [Uplink], lan: LAN) {
        var first: [[String?]: Uplink] = [:]
        for uplink in uplinks where !uplink.interface.isEmpty {
            let position = positions["uplinks.\(uplink.name).interface"] ?? .start
            if let other = first[[uplink.node, uplink.interface]] {
                let line = positions["uplinks.\(other.name).interface"]?.line ?? 1
                fault(
                    position,
                    "interface \(uplink.interface)\(uplink.node.map { " of node \($0)" } ?? "") belongs to uplink \(other.name.quoted) already (line \(line))",
                    uplink.node == nil
                        ? "each uplink has its own" : "each uplink of a box has its own; is the node right?")
            } else {
                first[[uplink.node, uplink.interface]] = uplink
            }
            if lan.interfaces.contains(uplink.interface) {
                fault(
                    position, "interface \(uplink.interface) is in lan.interfaces too",
                    "it leads either to the LAN or out; a VLAN makes two of one")
            }
        }
    }

    private mutating func warnAboutGateway(_ uplink: Uplink, at position: SourcePosition) {
        if let gateway = uplink.gateway, uplink.probe.targets.contains(gateway) {
            warn(
                position, "the gateway of \(uplink.name.quoted) is a probe target too",
                "it answers when the line behind it is dead; ask an address beyond it")
        }
    }

    /// What is given, or for a metered SORACOM uplink an echo to SORACOM's own host; `off` for none.
    private mutating func keepalive(_ uplink: Section, of known: Uplink, path: String) -> Keepalive? {
        let isSoracom = known.soracom != nil || uplink["soracom"] != nil
        guard let field = uplink["keepalive"] else {
            if known.metered, isSoracom { return Keepalive(idle: Self.idle, target: Keepalive.pong) }
            if known.metered {
                warn(
                    uplink.position, "metered uplink \(known.name.quoted) has no keepalive",
                    "while it waits nothing keeps its line up or tells whether it works")
            }
            return nil
        }
        if field.node.text == "off" { return nil }
        guard let section = section(field, .keepalive, path: path) else { return nil }
        let idle = duration(section["idle"], in: .seconds(1)...(.seconds(86400))) ?? Self.idle
        if let target = section["target"] {
            return address(target).map { Keepalive(idle: idle, target: $0) }
        }
        guard isSoracom else {
            fault(section.position, "keepalive has no target", "add an address that answers echo over this uplink")
            return nil
        }
        return Keepalive(idle: idle, target: Keepalive.pong)
    }

    /// SORACOM deletes a session that sent nothing for about an hour; carriers may sooner.
    private static let idle = Duration.seconds(25 * 60)
}
