internal import CLinux
internal import Glibc

/// Why a file with a secret in it is not read.
package enum SecretFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case system(SystemCallError)
    case notRegular(String)
    case readableByOthers(String, mode: UInt32)

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .notRegular(let path): "\(path) is not a regular file"
        case .readableByOthers(let path, let mode):
            "\(path) has mode \(String(mode, radix: 8)), so others may use the secret in it; run: chmod 600 \(path)"
        }
    }
}

extension Files {
    /// Reads a file that only its owner may read, as soracom-cli and ssh(1) insist on; refused past 64 KiB.
    ///
    /// What is judged is the file that was opened, so nobody can swap it in between. A systemd credential
    /// (systemd.exec(5), "Credentials") may have the group's read bit: for a service with `User=` the access of that user
    /// is an ACL entry, whose mask stat(2) shows as the group's permission.
    package static func readSecret(_ path: String) throws(SecretFileError) -> [UInt8] {
        do {
            // O_NONBLOCK: a FIFO in its place must not hold us.
            let file = OwnedDescriptor(
                taking: try checked("open(2)", path) { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) })
            try checkPrivate(file, path: path, ignoring: path.hasPrefix("/run/credentials/") ? 0o040 : 0)
            return try read(file, limit: 64 << 10, name: path)
        } catch let error as SystemCallError {
            throw .system(error)
        } catch let error as SecretFileError {
            throw error
        } catch {
            throw .system(SystemCallError(call: "open(2)", errno: EIO, subject: path))
        }
    }

    /// Opens a file to keep secrets in, made with mode 0600 if it is not there; a link is not followed.
    package static func openSecretStore(_ path: String) throws -> OwnedDescriptor {
        let file = OwnedDescriptor(
            taking: try checked("open(2)", path) {
                open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            })
        try checkPrivate(file, path: path, ignoring: 0)
        return file
    }

    /// The whole content of an open file, from its start.
    package static func contents(of file: borrowing OwnedDescriptor, limit: Int) throws(SystemCallError) -> [UInt8] {
        let raw = file.raw
        _ = try checked("lseek(2)") { lseek(raw, 0, SEEK_SET) }
        return try read(file, limit: limit, name: "descriptor \(raw)")
    }

    /// Replaces the content of an open file in place. A crash in between leaves a part: the reader must bear with that.
    package static func overwrite(_ file: borrowing OwnedDescriptor, with bytes: [UInt8]) throws(SystemCallError) {
        let raw = file.raw
        try checkedToTheEnd("pwrite(2)", "", bytes) { pwrite(raw, $0.baseAddress, $0.count, off_t($1)) }
        _ = try checked("ftruncate(2)") { ftruncate(raw, off_t(bytes.count)) }
    }

    private static func checkPrivate(
        _ file: borrowing OwnedDescriptor, path: String, ignoring ignored: UInt32
    ) throws {
        let raw = file.raw
        var status = stat()
        _ = try checked("fstat(2)", path) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SecretFileError.notRegular(path) }
        let mode = status.st_mode & 0o777
        guard mode & 0o077 & ~ignored == 0 else { throw SecretFileError.readableByOthers(path, mode: mode) }
    }
}
