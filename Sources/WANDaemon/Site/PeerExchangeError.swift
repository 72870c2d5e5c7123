package import LinuxIO
package import WANModel

/// Why a box cannot talk with the others of its site; traffic does not depend on it.
package struct PeerExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: Hashable, Sendable {
        /// The node's address is on no interface of this box.
        case addressMissing
        /// The LAN's interface is not there.
        case interfaceMissing(String)
        /// Another program has the port.
        case portTaken
        case notIPv4
        case refused(SystemCallError)
    }

    package var problem: Problem
    package var node: Node
    package var port: UInt16

    init(_ problem: Problem, _ node: Node, port: UInt16) {
        self.problem = problem
        self.node = node
        self.port = port
    }

    init(_ error: SystemCallError, _ node: Node, interface: String?, port: UInt16) {
        if error.isAddressMissing {
            self.init(.addressMissing, node, port: port)
        } else if error.isAddressInUse {
            self.init(.portTaken, node, port: port)
        } else if let interface, error.isInterfaceMissing {
            self.init(.interfaceMissing(interface), node, port: port)
        } else {
            self.init(.refused(error), node, port: port)
        }
    }

    /// Whether an address or an interface that comes up cures it: try again then, or after a while.
    package var isForNow: Bool {
        switch problem {
        case .addressMissing, .interfaceMissing: true
        case .portTaken, .notIPv4, .refused: false
        }
    }

    package var description: String { "the other boxes of the site are not heard: \(reason)" }

    private var reason: String {
        switch problem {
        case .addressMissing:
            "address \(node.address) of node \(node.name) is not on this box; put it there, or say with --node which box this is"
        case .interfaceMissing(let name): "interface \(name) is not there"
        case .portTaken: "UDP port \(port) of \(node.address) is another program's; stop that one"
        case .notIPv4: "address \(node.address) of node \(node.name) is not IPv4; give it one that is"
        case .refused(let error): "\(error)"
        }
    }
}
