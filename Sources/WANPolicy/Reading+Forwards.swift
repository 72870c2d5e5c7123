internal import NetworkTypes
internal import WANModel

extension Reading {
    mutating func forwards(_ section: Section) -> [Forward] {
        guard let field = section["forwards"] else { return [] }
        use(.forwards, at: section.keyPosition("forwards") ?? field.position)
        var found: [(forward: Forward, position: SourcePosition)] = []
        for (index, element) in (elements(field, limit: 1000) ?? []).enumerated() {
            guard let forward = forward(element, path: "forwards.\(index)") else { continue }
            if let other = found.first(where: { $0.forward.collides(with: forward) }) {
                fault(
                    element.position, "this port is forwarded already (line \(other.position.line))",
                    "a port of an uplink leads to one host")
            }
            found.append((forward, element.position))
        }
        return found.map(\.forward)
    }

    private mutating func forward(_ field: Field, path: String) -> Forward? {
        let forward = Field(name: "a forward", node: field.node)
        guard let section = section(forward, .forward, path: path) else { return nil }
        for key in PolicySection.forward.keys where section[key] == nil {
            fault(section.position, "this forward has no \(key)")
        }
        let uplinks = uplinkList(section["uplinks"])
        let transport = word(section["protocol"], of: Forward.Transport.self)
        let ports = ports(section["port"])
        let host = host(section["to"])
        guard !uplinks.isEmpty, let transport, let ports, let host, let to = section["to"] else { return nil }
        let hostPort = host.port ?? ports.lowerBound
        if Int(hostPort) + ports.count - 1 > Int(UInt16.max) {
            fault(to.position, "\(ports.count) ports from \(hostPort) end past 65535")
            return nil
        }
        if hostPort != ports.lowerBound, ports.count > Self.mostShifted {
            fault(
                to.position, "\(ports.count) ports from \(ports.lowerBound) are led to others from \(hostPort)",
                "at most \(Self.mostShifted) may be; leave out :\(hostPort) to keep their numbers")
            return nil
        }
        return Forward(uplinks: uplinks, transport: transport, ports: ports, host: host.address, hostPort: hostPort)
    }

    /// Each of them is an element of a map in the kernel; ports that keep their numbers are one.
    private static let mostShifted = 1024

    /// `192.168.0.10`, `192.168.0.10:8080` or `[2001:db8::10]:8080`.
    private mutating func host(_ field: Field?) -> (address: IPAddress, port: UInt16?)? {
        guard let field, let text = text(field, "a host in the LAN such as 192.168.0.10:8080") else { return nil }
        var (host, port) = (text[...], nil as Substring?)
        if text.first == "[", let close = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            port = rest.isEmpty ? nil : rest.first == ":" ? rest.dropFirst() : "?"
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        let node = YAMLNode(.scalar(String(host), quoted: true), at: field.position)
        guard let address = address(Field(name: field.name, node: node)) else { return nil }
        guard let port else { return (address, nil) }
        let portNode = YAMLNode(.scalar(String(port), quoted: true), at: field.position)
        guard let range = ports(Field(name: "port", node: portNode)) else { return nil }
        if range.count > 1 { fault(field.position, "\(field.name) \(text.quoted) has a range", "write its first port") }
        return (address, range.lowerBound)
    }
}

extension Forward {
    fileprivate func collides(with other: Forward) -> Bool {
        transport == other.transport && ports.overlaps(other.ports) && !Set(uplinks).isDisjoint(with: other.uplinks)
    }
}
