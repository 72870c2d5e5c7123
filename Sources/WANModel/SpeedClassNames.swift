/// Names of SORACOM's speed classes (UpdateSpeedClassRequest of its API). The list is open: SORACOM adds to it, and has the
/// last word on which of them a SIM's plan has.
package enum SpeedClassNames {
    /// Those that plans had when this was written, slowest first.
    package static let known = [
        "s1.minimum", "s1.slow", "s1.standard", "s1.fast", "s1.4xfast", "s1.8xfast", "u1.slow", "u1.standard",
    ]

    /// `s1.fast`: two words of lower-case letters and digits, at most 32 octets in all.
    package static func isWellFormed(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && name.utf8.count <= 32
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
            }
    }
}
