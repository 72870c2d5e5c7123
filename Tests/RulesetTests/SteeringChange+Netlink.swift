import Netlink
import NetworkTypes
import PacketWire
import WANDataplane

extension SteeringChange {
    /// For `NftablesSocket`: emptied, removed, added.
    var inNetlink: [NftablesChange] {
        var changes: [NftablesChange] = isFlushed ? [.flush(set: name)] : []
        if !removed.isEmpty { changes.append(.remove(set: name, removed.map(\.inNetlink))) }
        if !added.isEmpty {
            let elements = added.map { element in
                NftablesElement(element.key.inNetlink, element.verdict.map { .verdict($0.inNetlink) })
            }
            changes.append(.add(set: name, elements))
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
