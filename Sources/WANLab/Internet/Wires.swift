internal import LinuxIO

/// The lines of a lab, on the thread that carries their packets.
final class Wires {
    /// Where a line comes out of a router.
    struct NearEnd: Sendable {
        var namespace: String
        var interface: String
    }

    private let lab: String
    private let lines: [LabUplink: LineQuality]
    private let near: [LabUplink: NearEnd]
    private var wires: [LabUplink: Wire] = [:]

    /// The lines that have a near end. The provider's end is there for each but JCOM's, whose home router may be missing.
    init(
        on loop: EventLoop, lab: String, seed: UInt64, lines: [LabUplink: LineQuality], near: [LabUplink: NearEnd]
    ) throws {
        self.lab = lab
        self.lines = lines
        self.near = near
        for (place, uplink) in LabUplink.allCases.enumerated() where near[uplink] != nil || uplink.isPointToPoint {
            let wire = Wire(
                on: loop, quality: lines[uplink] ?? .perfect, seed: seed &+ UInt64(place) &* 0x9e37)
            wires[uplink] = wire
            try wire.plugFar(
                try TunDevice(uplink.farInterface, kind(uplink), in: path(uplink.farPlace)))
            if near[uplink] != nil { try plug(uplink) }
        }
    }

    subscript(_ uplink: LabUplink) -> Wire {
        get throws(LabError) {
            guard let wire = wires[uplink] else { throw LabError("reach \(uplink)", "this lab has no such line") }
            return wire
        }
    }

    /// Makes the router's interface, anew where it was gone.
    func plug(_ uplink: LabUplink) throws {
        let wire = try self[uplink]
        guard let end = near[uplink] else { throw LabError("plug \(uplink)", "it leads to no router of this lab") }
        wire.unplugNear()  // the name must be free before it can be taken again
        try wire.plugNear(try TunDevice(end.interface, kind(uplink), in: end.namespace))
    }

    /// The line as it was built; the interface is left as it is.
    func reset(_ uplink: LabUplink) throws {
        try self[uplink].change(.both) { $0.reset(to: lines[uplink] ?? .perfect) }
    }

    private func kind(_ uplink: LabUplink) -> TunDevice.Kind { uplink.isPointToPoint ? .pointToPoint : .ethernet }
    private func path(_ place: LabPlace) -> String { "/run/netns/\(place.namespace(of: lab))" }
}
