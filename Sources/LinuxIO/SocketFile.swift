internal import CLinux
internal import Glibc

/// The file that names a listening socket: which one it is, and who may connect.
package struct SocketFile: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    /// What is at the path now; `nil` where there is nothing. ENOTSOCK where something else is there.
    package init?(at path: String) throws(SystemCallError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if Glibc.errno == ENOENT { return nil }
            throw SystemCallError(call: "lstat(2)", subject: path)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemCallError(call: "lstat(2)", errno: ENOTSOCK, subject: path)
        }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Gives the file its group (`nil`: leaves it) and mode; write permission is what connect(2) asks for.
    package static func open(_ path: String, to group: UInt32?, mode: UInt32) throws(SystemCallError) {
        var status = stat()
        _ = try checked("lstat(2)", path) { lstat(path, &status) }
        // A service's own group has it already, and the service may not have the call (systemd.exec(5), @privileged).
        if let group, status.st_gid != group { _ = try checked("chown(2)", path) { lchown(path, uid_t.max, group) } }
        _ = try checked("chmod(2)", path) { chmod(path, mode) }
    }

    /// Makes a directory that only its owner may change and everybody may pass, whatever the umask is; one that is there already is left
    /// as it is.
    package static func makeDirectory(_ path: String) throws(SystemCallError) {
        guard mkdir(path, 0o755) == 0 else {
            if Glibc.errno == EEXIST { return }
            throw SystemCallError(call: "mkdir(2)", subject: path)
        }
        _ = try checked("chmod(2)", path) { chmod(path, 0o755) }
    }
}
