/// How fast, and how expensive, a SIM is: `s1.minimum`, `s1.fast` …
///
/// An open set: plans have their own prefixes and new ones appear. What is checked is only the form,
/// so that the name can stand in a log line.
package struct SpeedClass: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    package init?(_ name: String) {
        let isName = { (byte: UInt8) in
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
                || byte == 0x2e || byte == 0x2d || byte == 0x5f
        }
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isName) else { return nil }
        self.name = name
    }

    package var description: String { name }
}

/// Which SIM, by one of its two names.
package enum SIMIdentity: Hashable, Sendable {
    case sim(String)
    case imsi(String)

    /// The path of the SIM below `/v1`; `nil` where the name has a character no such name has.
    package var path: String? {
        let (folder, name) =
            switch self {
            case .sim(let name): ("/sims/", name)
            case .imsi(let name): ("/subscribers/", name)
            }
        guard let checked = SpeedClass(name)?.name, !checked.contains(".") else { return nil }
        return folder + checked
    }
}
