internal import Glibc
internal import LinuxIO

/// `/run/wanctl-lab/ID`: a lab's logs and control socket, and the lock (flock(2)) that shows whether its owner lives.
///
/// The directory is made before the namespaces and removed after them, so whoever finds it knows what may be left over.
struct LabDirectory: ~Copyable {
    static let root = "/run/wanctl-lab"
    let id: String
    var path: String { "\(Self.root)/\(id)" }
    private let lock: OwnedDescriptor

    /// Makes the directory and takes its lock.
    static func claim(_ wanted: String?) throws(LabError) -> LabDirectory {
        try doing("make a lab") {
            let gate = try gate()
            for _ in 0..<100 {
                let id = wanted ?? randomID()
                guard isName(id) else {
                    throw LabError("", "\"\(id)\" is no name: use up to 32 letters, digits, - and _")
                }
                if mkdir("\(root)/\(id)", 0o755) == 0 {
                    let directory = LabDirectory(id: id, lock: try openLock(of: id))
                    guard directory.tryLock() else { throw LabError("", "somebody else holds the lock of \(id)") }
                    _ = try checked("mkdir(2)") { mkdir("\(root)/\(id)/log", 0o755) }
                    withExtendedLifetime(gate) {}
                    return directory
                }
                guard errno == EEXIST else { throw SystemCallError(call: "mkdir(2)", subject: "\(root)/\(id)") }
                if wanted != nil { throw LabError("", "a lab named \(id) is already there") }
            }
            throw LabError("", "no free name found")
        }
    }

    /// The directory of a lab whose owner died, with its lock; `nil` while the owner lives.
    static func takeOver(_ id: String) throws(SystemCallError) -> LabDirectory? {
        guard Files.exists("\(root)/\(id)") else { return nil }
        let directory = LabDirectory(id: id, lock: try openLock(of: id))
        if directory.tryLock() { return directory }
        return nil
    }

    /// Held while labs are made or stale ones looked for, so that nobody takes a lab half made for one left behind.
    static func gate() throws(SystemCallError) -> OwnedDescriptor {
        mkdir(root, 0o755)
        let path = "\(root)/.lock"
        let gate = try openFile(path, O_RDWR | O_CREAT)
        _ = try checked("flock(2)", path) { flock(gate.raw, LOCK_EX) }
        return gate
    }

    /// The names of all labs that are there, alive or not.
    static func all() -> [String] { directoryEntries(root).filter(isName).sorted() }

    /// Who tells the lab's story may still write a file into it when it is interrupted: looked at again until it is gone.
    borrowing func remove() {
        for _ in 0..<100 {
            removeTree(path)
            if !Files.exists(path) { break }
            pause(milliseconds: 10)
        }
        unlink(Self.backgroundLog(of: id))
    }

    /// What a lab in the background says; beside the directory, for it is written before that is there.
    static func backgroundLog(of id: String) -> String { "\(root)/\(id).log" }

    /// Of labs that ended before they had a directory; who writes such a log holds its lock (`BackgroundProgram`).
    static func removeStaleLogs() {
        for name in directoryEntries(root) where name.hasSuffix(".log") {
            let id = String(name.dropLast(4))
            guard isName(id), !Files.exists("\(root)/\(id)") else { continue }
            let file = open(backgroundLog(of: id), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unlink(backgroundLog(of: id)) }
            close(file)
        }
    }

    static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0 | 32) || $0 == 45 || $0 == 95 }
    }

    private func tryLock() -> Bool { flock(lock.raw, LOCK_EX | LOCK_NB) == 0 }

    private static func openLock(of id: String) throws(SystemCallError) -> OwnedDescriptor {
        try openFile("\(root)/\(id)/lock", O_RDWR | O_CREAT)
    }

    private static func randomID() -> String {
        String((0..<6).compactMap { _ in "abcdefghijkmnpqrstuvwxyz".randomElement() })
    }
}

/// The names in a directory, without `.` and `..`; none where there is no directory.
func directoryEntries(_ path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// open(2), closed on exec.
func openFile(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(taking: try checked("open(2)", path) { open(path, flags | O_CLOEXEC, mode) })
}

/// Removes a directory and all below it; symbolic links are removed, not followed.
func removeTree(_ path: String) {
    var information = stat()
    guard lstat(path, &information) == 0 else { return }
    if information.st_mode & S_IFMT == S_IFDIR {
        for name in directoryEntries(path) { removeTree("\(path)/\(name)") }
        rmdir(path)
    } else {
        unlink(path)
    }
}
