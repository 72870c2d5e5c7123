import NetworkTypes
import PacketWire

/// A datagram as the kernel may send it: every reader sees each of its messages, whatever the message says it is.
func readNetlink(_ datagram: [UInt8]) {
    attempt { () throws(WireError) in
        try forEachMessage(in: datagram.span.bytes) { (header, payload) throws(WireError) in
            attempt { () throws(WireError) in _ = try NetlinkControl(header, payload) }
            attempt { () throws(WireError) in _ = try KernelEvent(header, payload) }
            attempt { () throws(WireError) in _ = try NftablesEvent(header, payload) }
            attempt { () throws(WireError) in _ = try LinkMessage(payload) }
            attempt { () throws(WireError) in _ = try AddressMessage(payload) }
            attempt { () throws(WireError) in describe(try RouteMessage(payload)) }
            attempt { () throws(WireError) in describe(try RuleMessage(payload)) }
            attempt { () throws(WireError) in describe(try ConntrackEntry(payload)) }
            attempt { () throws(WireError) in _ = try ConntrackRequest.total(in: payload) }
            attempt { () throws(WireError) in describe(try DiagnosedSocket(payload, transport: 6)) }
            attempt { () throws(WireError) in _ = try NftablesCounter(header, payload) }
            attempt { () throws(WireError) in _ = try NftablesFlowtable(header, payload) }
            attempt { () throws(WireError) in _ = try GenericNetlinkRequest.familyNumber(in: payload) }
        }
    }
}

/// Runs a reader; it may refuse, in words.
func attempt(_ body: () throws(WireError) -> Void) {
    do throws(WireError) { try body() } catch { describe(error) }
}

/// What was read goes into log lines, so it must be possible to say it.
private func describe(_ value: some CustomStringConvertible) {
    precondition(!value.description.isEmpty, "nothing to say about it")
}
