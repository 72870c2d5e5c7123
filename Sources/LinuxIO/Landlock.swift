internal import CLinux
internal import Glibc

/// What this process may do to files from now on, whatever their permissions say (landlock(7)).
package enum Landlock {
    /// Leaves the calling thread, and all that it starts from now on, these paths with what is below them: some to read, some to read and
    /// to write regular files in. A path that is not there, or shut already, is left out. Nothing may be executed, and what is open
    /// already stays open.
    ///
    /// Needs `no_new_privs` (`Privileges.renounceAll`).
    ///
    /// - Returns: The version of the kernel's Landlock; 0 where it has none, and nothing is restricted.
    package static func confine(reading: [String], writing: [String]) throws(SystemCallError) -> Int {
        let version = wan_landlock_version()
        guard version > 0 else { return 0 }
        let handled = Access.known(to: version)
        // From version 6 on: no signal, and no abstract socket of a process outside.
        var rules = wan_landlock_rules(
            handled_access_fs: handled.rawValue, handled_access_net: 0, scoped: version >= 6 ? 3 : 0)
        let ruleset = OwnedDescriptor(
            taking: try checked("landlock_create_ruleset(2)") { wan_landlock_create_ruleset(&rules) })
        for path in reading { try allow(.reading, path, in: ruleset) }
        for path in writing { try allow(Access.writing.intersection(handled), path, in: ruleset) }
        _ = try checked("landlock_restrict_self(2)") { wan_landlock_restrict_self(ruleset.raw) }
        return Int(version)
    }

    private static func allow(
        _ access: Access, _ path: String, in ruleset: borrowing OwnedDescriptor
    ) throws(SystemCallError) {
        let raw = open(path, Int32(WAN_O_PATH) | O_CLOEXEC)
        if raw < 0, [ENOENT, ENOTDIR, EACCES].contains(Glibc.errno) { return }
        guard raw >= 0 else { throw SystemCallError(call: "open(2)", subject: path) }
        let place = OwnedDescriptor(taking: raw)
        var status = stat()
        _ = try checked("fstat(2)", path) { fstat(place.raw, &status) }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let allowed = isDirectory ? access : access.intersection(.ofFiles)
        _ = try checked("landlock_add_rule(2)", path) {
            wan_landlock_allow(ruleset.raw, allowed.rawValue, place.raw)
        }
    }

    /// LANDLOCK_ACCESS_FS_…, by their bits.
    private struct Access: OptionSet {
        let rawValue: UInt64

        static let readFile = Access(rawValue: 1 << 2)
        static let readDirectory = Access(rawValue: 1 << 3)
        static let writeFile = Access(rawValue: 1 << 1)
        static let removeFile = Access(rawValue: 1 << 5)
        static let makeFile = Access(rawValue: 1 << 8)
        static let truncate = Access(rawValue: 1 << 14)

        static let reading: Access = [readFile, readDirectory]
        static let writing: Access = [readFile, readDirectory, writeFile, removeFile, makeFile, truncate]
        static let ofFiles: Access = [readFile, writeFile, truncate]

        /// All that a kernel can deny: 13 rights at first, REFER with version 2, TRUNCATE with 3, IOCTL_DEV with 5.
        static func known(to version: Int32) -> Access {
            let count = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13
            return Access(rawValue: 1 << UInt64(count) - 1)
        }
    }
}
