internal import NetworkTypes
package import PacketWire
package import WANDataplane

extension SteeringChange {
    /// For `NftablesSocket.perform`: emptied, removed, added, the order in which a key may be replaced.
    package var inNetlink: [NftablesChange] {
        var changes: [NftablesChange] = []
        if isFlushed { changes.append(.flush(set: name)) }
        if !removed.isEmpty { changes.append(.remove(set: name, removed.map(\.inNetlink))) }
        if !added.isEmpty {
            changes.append(
                .add(
                    set: name,
                    added.map { NftablesElement($0.key.inNetlink, $0.verdict.map { .verdict($0.inNetlink) }) }))
        }
        return changes
    }
}

extension TableKey {
    fileprivate var inNetlink: NftablesKey {
        switch self {
        case .ipv4: NftablesKey(.family(.v4))
        case .bucket(let number): NftablesKey(.integer(number))
        case .address(let address): NftablesKey(.address(address))
        }
    }
}

extension TableVerdict {
    fileprivate var inNetlink: NftablesVerdict {
        switch self {
        case .goTo(let chain): .goTo(chain)
        case .jump(let chain): .jump(chain)
        case .return: .return
        }
    }
}
