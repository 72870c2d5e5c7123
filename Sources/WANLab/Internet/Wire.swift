internal import Glibc
internal import LinuxIO

/// A provider's line: carries packets between the router's interface and the provider's, as well as the line's state lets it.
///
/// Belongs to the thread of its event loop.
final class Wire {
    private(set) var up: WireDirection
    private(set) var down: WireDirection
    private let loop: EventLoop
    private var near: End?
    private var far: End?
    private var upQueue = Queue()
    private var downQueue = Queue()
    private var buffer = [UInt8](repeating: 0, count: 65536)

    private struct End {
        var device: TunDevice
        var watch: EventLoop.Watch
    }

    /// What is on its way, in order of arrival.
    private struct Queue {
        var packets: [(arrival: Int64, bytes: [UInt8])] = []
        var head = 0
        var timer: EventLoop.Timer?

        var first: (arrival: Int64, bytes: [UInt8])? { head < packets.count ? packets[head] : nil }

        mutating func removeFirst() {
            packets[head].bytes = []
            head += 1
            if head > 256, head * 2 > packets.count {
                packets.removeFirst(head)
                head = 0
            }
        }
    }

    init(on loop: EventLoop, quality: LineQuality, seed: UInt64) {
        self.loop = loop
        up = WireDirection(seed: seed)
        down = WireDirection(seed: seed ^ 0xd1b5_4a32_d192_ed03)
        up.reset(to: quality)
        down.reset(to: quality)
    }

    /// Changes one way of the line, or both.
    func change(_ way: WireWay, _ body: (inout WireDirection) -> Void) {
        if way != .down { body(&up) }
        if way != .up { body(&down) }
    }

    var isPlugged: Bool { near != nil }

    func plugFar(_ device: TunDevice) throws(SystemCallError) { try plug(device, into: \.far, down: true) }

    func plugNear(_ device: TunDevice) throws(SystemCallError) {
        unplugNear()
        try plug(device, into: \.near, down: false)
    }

    private func plug(
        _ device: TunDevice, into end: ReferenceWritableKeyPath<Wire, End?>, down isDown: Bool
    ) throws(SystemCallError) {
        self[keyPath: end] = End(
            device: device,
            watch: try loop.watch(device.descriptor.raw) { [unowned self] _ in
                read(device, gone: { unplug(&self[keyPath: end]) }) { carry($0, from: device, down: isDown) }
            })
    }

    /// Closes the router's end: its interface vanishes, and what was on its way to it.
    func unplugNear() {
        unplug(&near)
        downQueue.packets = []
        downQueue.head = 0
    }

    func setCarrier(_ present: Bool) throws {
        guard let near else { throw LabError("set the carrier", "the interface is gone") }
        try near.device.setCarrier(present)
    }

    private func unplug(_ end: inout End?) {
        if let watch = end?.watch { loop.remove(watch) }
        end = nil
    }

    /// Reads what is there, at most so much that the other wires get their turn.
    private func read(_ device: TunDevice, gone: () -> Void, _ body: (UnsafeRawBufferPointer) -> Void) {
        for _ in 0..<64 {
            let count = Glibc.read(device.descriptor.raw, &buffer, buffer.count)
            if count > 0 {
                buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } else {
                // Whoever deletes a tun interface by hand leaves a descriptor that is always ready and never reads (EBADFD).
                if count == 0 || (errno != EAGAIN && errno != EINTR) { gone() }
                return
            }
        }
    }

    private func carry(_ packet: UnsafeRawBufferPointer, from device: TunDevice, down isDown: Bool) {
        let now = Clock.boottime()
        let endpoints = device.endpoints(of: packet)
        let fate =
            isDown
            ? down.fate(length: packet.count, endpoints: endpoints, at: now)
            : up.fate(length: packet.count, endpoints: endpoints, at: now)
        guard case .arrives(let arrival) = fate else { return }
        if arrival <= now, (isDown ? downQueue : upQueue).first == nil {
            deliver(packet, down: isDown)
        } else {
            let queue = isDown ? \Wire.downQueue : \Wire.upQueue
            self[keyPath: queue].packets.append((arrival, Array(packet)))
            pump(queue, down: isDown)
        }
    }

    /// Delivers what has arrived and wakes up for the next.
    private func pump(_ queue: ReferenceWritableKeyPath<Wire, Queue>, down isDown: Bool) {
        let now = Clock.boottime()
        while let first = self[keyPath: queue].first, first.arrival <= now {
            first.bytes.withUnsafeBytes { deliver($0, down: isDown) }
            self[keyPath: queue].removeFirst()
        }
        guard self[keyPath: queue].timer == nil, let next = self[keyPath: queue].first else { return }
        self[keyPath: queue].timer = loop.schedule(at: next.arrival) { [unowned self] in
            self[keyPath: queue].timer = nil
            pump(queue, down: isDown)
        }
    }

    /// A full or downed interface loses the packet, as a real one does.
    private func deliver(_ packet: UnsafeRawBufferPointer, down isDown: Bool) {
        guard let device = (isDown ? near : far)?.device else { return }
        _ = write(device.descriptor.raw, packet.baseAddress, packet.count)
    }
}
