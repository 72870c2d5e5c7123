import NetworkTypes
import PacketWire

/// Every message of a datagram that is not a control message, read by its type.
func read<Value>(
    _ datagram: [UInt8], _ body: (NetlinkHeader, RawSpan) throws(WireError) -> Value?
) throws(WireError) -> [Value] {
    var values: [Value] = []
    try forEachMessage(in: datagram.span.bytes) { (header, payload) throws(WireError) in
        if header.type >= 16, let value = try body(header, payload) { values.append(value) }
    }
    return values
}

/// The answers and ends of dumps in a datagram.
func controls(_ datagram: [UInt8]) throws(WireError) -> [NetlinkControl] {
    var controls: [NetlinkControl] = []
    try forEachMessage(in: datagram.span.bytes) { (header, payload) throws(WireError) in
        if let control = try NetlinkControl(header, payload) { controls.append(control) }
    }
    return controls
}

/// A message as a set of parts: iproute2 and we may order attributes differently, the kernel does not care.
struct Parts: Equatable {
    var type: UInt16 = 0
    var flags: UInt16 = 0
    var fixed: [UInt8] = []
    var attributes: Set<[UInt8]> = []

    init(_ datagram: [UInt8], fixed size: Int) throws(WireError) {
        var count = 0
        try forEachMessage(in: datagram.span.bytes) { (header, payload) throws(WireError) in
            guard count == 0, header.type != 0 else { return }  // ip(8) pads a dump request with empty messages
            count += 1
            self = try Parts(header, payload, fixed: size)
        }
    }

    init(_ header: NetlinkHeader, _ payload: RawSpan, fixed size: Int) throws(WireError) {
        type = header.type
        flags = header.flags.rawValue
        try payload.require(header: size)
        fixed = payload.extracting(first: size).octets
        try forEachAttribute(in: payload.extracting(droppingFirst: size)) { (kind, payload) throws(WireError) in
            attributes.insert([UInt8(kind & 0xff), UInt8(kind >> 8)] + payload.octets)
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a seed gives the same numbers everywhere.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
