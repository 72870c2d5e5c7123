internal import LinuxIO

/// The three lines of a lab, on the thread that carries their packets.
final class Wires {
    private let lab: String
    private let options: LabOptions
    private var wires: [LabUplink: Wire] = [:]

    init(on loop: EventLoop, lab: String, options: LabOptions) throws {
        self.lab = lab
        self.options = options
        for (place, uplink) in LabUplink.allCases.enumerated() {
            let wire = Wire(
                on: loop, quality: options.lines[uplink] ?? .perfect, seed: options.seed &+ UInt64(place) &* 0x9e37)
            wires[uplink] = wire
            try wire.plugFar(
                try TunDevice(uplink.farInterface, kind(uplink), in: path(uplink.farPlace)))
            try plug(uplink)
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
        wire.unplugNear()  // the name must be free before it can be taken again
        try wire.plugNear(try TunDevice(uplink.interface, kind(uplink), in: path(.router)))
    }

    /// The line as it was built; the interface is left as it is.
    func reset(_ uplink: LabUplink) throws {
        try self[uplink].change(.both) { $0.reset(to: options.lines[uplink] ?? .perfect) }
    }

    private func kind(_ uplink: LabUplink) -> TunDevice.Kind { uplink.isPointToPoint ? .pointToPoint : .ethernet }
    private func path(_ place: LabPlace) -> String { "/run/netns/\(place.namespace(of: lab))" }
}
