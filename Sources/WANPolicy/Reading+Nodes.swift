internal import NetworkTypes
internal import WANModel

extension Reading {
    /// The boxes of the site.
    mutating func nodes(_ section: Section) -> [Node] {
        guard let field = section["nodes"] else { return [] }
        use(.nodes, at: section.keyPosition("nodes") ?? field.position)
        var found: [Node] = []
        let entries = entries(field) ?? []
        if entries.count > Self.mostNodes {
            fault(
                entries[Self.mostNodes].position, "there are \(entries.count) nodes",
                "at most \(Self.mostNodes) are allowed")
        }
        for entry in entries.prefix(Self.mostNodes) {
            let isName =
                (1...63).contains(entry.key.utf8.count) && !"-._".contains(entry.key.prefix(1))
                && entry.key.utf8.allSatisfy(isNameByte)
            if !isName {
                fault(entry.position, "node name \(entry.key.quoted) cannot be used", "write the box's host name")
            }
            nodes.append(entry.key)
            positions["nodes.\(entry.key)"] = entry.position
            let path = "nodes.\(entry.key)"
            let value = Field(name: entry.key, node: entry.value)
            guard let node = self.section(value, .node, path: path, at: entry.position) else { continue }
            guard let field = node["address"] else {
                fault(entry.position, "node \(entry.key.quoted) has no address", "add its own address in the LAN")
                continue
            }
            guard let address = address(field) else { continue }
            if let other = found.first(where: { $0.address == address }) {
                fault(field.position, "address \(address) belongs to node \(other.name.quoted) already")
            }
            found.append(Node(name: entry.key, address: address))
        }
        return found
    }

    private static let mostNodes = 16
}
