internal import LinuxIO
internal import WANControl

/// The files that a start of the daemon reads: each is replaced whole, and on the disk before that is said.
struct RecordFiles {
    let directory: String

    func keep(_ bytes: [UInt8], as kind: RecordFrame.Kind) throws(SystemCallError) {
        let name = kind == .state ? "state.json" : "policy.kept"
        // The daemon, and nobody else, reads them as a member of their group.
        try Files.replace("\(directory)/\(name)", with: bytes, mode: 0o640, isDurable: true)
    }
}
