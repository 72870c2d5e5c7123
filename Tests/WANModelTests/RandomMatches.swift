import NetworkTypes
import WANModel

/// A packet as a match sees it.
struct Packet {
    var source: UInt32
    var destination: UInt32
    var transport: UInt8
    var sourcePort: UInt16?
    var port: UInt16?
    var interface: String
    var dscp: UInt8
    var mark: UInt32
}

/// A small world that holds a packet of every kind that the matches made here can tell apart.
///
/// Addresses and ports come in cells: matches begin and end only where a cell does, so one packet stands for all of it. The
/// cells meet the ends of the number range, where arithmetic goes wrong first.
enum SmallWorld {
    static let sourceCells: [ClosedRange<UInt32>] = [
        0...0, 1...0x7fff_ffff, 0x8000_0000...0xffff_fffe, 0xffff_ffff...0xffff_ffff,
    ]
    static let destinationCells: [ClosedRange<UInt32>] = [
        0...0x0fff_ffff, 0x1000_0000...0x1000_0000, 0x1000_0001 ... .max,
    ]
    static let portCells: [ClosedRange<UInt16>] = [0...0, 1...1023, 1024 ... .max]
    static let transports: [UInt8] = [6, 17, 1, 99]
    static let interfaces = ["eth0", "eth1", "eth2"]
    static let dscps: [UInt8] = [0, 46, 63]
    static let marks: [UInt32] = [0, 0x100, 0x200, 0x300]

    static let packets: [Packet] = {
        var packets: [Packet] = []
        for source in sourceCells {
            for destination in destinationCells {
                for transport in transports {
                    let hasPorts = transport == 6 || transport == 17
                    let ports: [UInt16?] = hasPorts ? portCells.map(\.lowerBound) : [nil]
                    for sourcePort in ports {
                        for port in ports {
                            for interface in interfaces {
                                // Three and four: by the twelfth pair each has met each.
                                for pair in 0..<(dscps.count * marks.count) {
                                    packets.append(
                                        Packet(
                                            source: source.upperBound, destination: destination.lowerBound,
                                            transport: transport, sourcePort: sourcePort, port: port,
                                            interface: interface, dscp: dscps[pair % dscps.count],
                                            mark: marks[pair % marks.count]))
                                }
                            }
                        }
                    }
                }
            }
        }
        return packets
    }()
}

extension PolicyRule.Match {
    /// A match that says a few things, each field left out more often than not.
    init(from random: inout SplitMix64) {
        self.init()
        func cells<Bound>(_ cells: [ClosedRange<Bound>], _ random: inout SplitMix64) -> [ClosedRange<Bound>] {
            (0..<Int.random(in: 1...3, using: &random)).map { _ in
                let first = Int.random(in: 0..<cells.count, using: &random)
                let last = Int.random(in: first..<cells.count, using: &random)
                return cells[first].lowerBound...cells[last].upperBound
            }
        }
        let say = { (random: inout SplitMix64) in Int.random(in: 0..<3, using: &random) == 0 }
        if say(&random) { source = AddressSet(cells(SmallWorld.sourceCells, &random)) }
        if say(&random) { destination = AddressSet(cells(SmallWorld.destinationCells, &random)) }
        if say(&random) { transport = SmallWorld.transports.randomElement(using: &random) }
        if say(&random) { sourcePorts = cells(SmallWorld.portCells, &random) }
        if say(&random) { ports = cells(SmallWorld.portCells, &random) }
        // The last of each is what no match names.
        if say(&random) { interface = SmallWorld.interfaces.dropLast().randomElement(using: &random) }
        if say(&random) { dscp = SmallWorld.dscps.dropLast().randomElement(using: &random) }
        if say(&random) {
            let mask: UInt32 = [0, 0x100, 0x200, 0x300].randomElement(using: &random) ?? 0
            let value: UInt32 = SmallWorld.marks.randomElement(using: &random) ?? 0
            // Now and then bits beyond the mask: then nothing matches.
            mark = FwMark(value: Bool.random(using: &random) ? value & mask : value, mask: mask)
        }
    }

    /// What a match means, one field after the other and without any cleverness.
    func isTrue(of packet: Packet) -> Bool {
        if let source, !source.ranges.contains(where: { $0.contains(packet.source) }) { return false }
        if let destination, !destination.ranges.contains(where: { $0.contains(packet.destination) }) { return false }
        if let transport, packet.transport != transport { return false }
        if !sourcePorts.isEmpty, !sourcePorts.contains(where: { packet.sourcePort.map($0.contains) ?? false }) {
            return false
        }
        if !ports.isEmpty, !ports.contains(where: { packet.port.map($0.contains) ?? false }) { return false }
        if let interface, packet.interface != interface { return false }
        if let dscp, packet.dscp != dscp { return false }
        if let mark, packet.mark & mark.mask != mark.value { return false }
        return true
    }
}

/// Steele, Lea and Flood's generator: a seed gives the same row everywhere.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
