internal import CLinux
internal import Glibc

/// Who may change a file, and where it really is.
package struct FileTrust: Hashable, Sendable {
    /// The user whose it is.
    package var owner: UInt32
    /// The permission bits.
    package var mode: UInt32
    /// Without symbolic links; of the file, and of the directory that its path names.
    package var place: String
    package var directory: String

    package init(owner: UInt32, mode: UInt32, place: String, directory: String) {
        self.owner = owner
        self.mode = mode
        self.place = place
        self.directory = directory
    }

    /// `nil` where there is no such file.
    package init?(_ path: String) {
        var found = stat()
        guard stat(path, &found) == 0, let place = Self.resolved(path) else { return nil }
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard let directory = Self.resolved(parent) else { return nil }
        self.init(owner: found.st_uid, mode: found.st_mode & 0o7777, place: place, directory: directory)
    }

    /// The user that this program runs as.
    package static var ownUser: UInt32 { geteuid() }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}
