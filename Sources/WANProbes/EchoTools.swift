internal import LinuxIO
internal import PacketWire

/// What all echo sockets of a thread share: buffers and a source of nonces.
final class EchoTools {
    let sending: SendBatch
    let receiving: ReceiveBatch
    private var entropy = Entropy()
    /// The request that each datagram of `sending` came from.
    var requestIndices: [Int] = []

    init(batch: Int = 64) {
        sending = SendBatch(capacity: batch, slot: 32)
        receiving = ReceiveBatch(capacity: batch, slot: Int(EchoFilter.longest))
        requestIndices.reserveCapacity(batch)
    }

    func nonce() throws(SystemCallError) -> UInt64 { try entropy.next() }

    /// A random identifier that none of `others` has.
    func identifier(besides others: [UInt16] = []) throws(SystemCallError) -> UInt16 {
        while true {
            let identifier = UInt16(truncatingIfNeeded: try entropy.next())
            if identifier != 0, !others.contains(identifier) { return identifier }
        }
    }
}
