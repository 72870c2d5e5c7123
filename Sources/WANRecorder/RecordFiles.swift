internal import Glibc
internal import LinuxIO
internal import WANControl

/// The files that a start of the daemon reads: each is replaced whole, and on the disk before that is said.
struct RecordFiles {
    let directory: String

    /// - Parameter directory: What lies there from a release whose daemon kept it itself is for its owner alone, who is us now.
    init(directory: String) {
        self.directory = directory
        for name in ["state.json", "policy.kept"] { chmod("\(directory)/\(name)", Self.mode) }
    }

    /// The daemon, and nobody else, reads them as a member of their group.
    private static let mode: mode_t = 0o640

    func keep(_ bytes: [UInt8], as kind: RecordFrame.Kind) throws(SystemCallError) {
        let name = kind == .state ? "state.json" : "policy.kept"
        try Files.replace("\(directory)/\(name)", with: bytes, mode: Self.mode, isDurable: true)
    }
}
