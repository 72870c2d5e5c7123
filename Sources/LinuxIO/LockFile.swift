internal import CLinux
internal import Glibc

/// A file that one process holds at a time (fcntl(2), F_SETLK); the kernel takes the lock away with its holder, however that ends,
/// and tells who it is.
///
/// It is for its owner alone, who is the owner of its directory, also where root made it: so nobody else can hold it, and who is
/// started next by that owner can open it. The kernel drops such a lock when its process closes *any* descriptor of the file: the
/// holder opens it once.
package struct LockFile: ~Copyable, Sendable {
    package let path: String
    private let file: OwnedDescriptor

    /// The process that holds the lock of a path.
    package struct Holder: Hashable, Sendable {
        /// `nil` where the kernel does not tell it: one of a PID namespace that is not below ours.
        package let pid: Int32?
        /// What it says of itself; `nil` where that may not be read.
        package let note: String?
        fileprivate let place: Place
    }

    /// Which file it is, whatever its path.
    fileprivate struct Place: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }

        /// What is at the path now, a link itself; `nil` where there is nothing.
        init?(at path: String) throws(SystemCallError) {
            var status = stat()
            guard lstat(path, &status) == 0 else {
                if Glibc.errno == ENOENT { return nil }
                throw SystemCallError(call: "lstat(2)", subject: path)
            }
            self.init(status)
        }

        init(of file: borrowing OwnedDescriptor, _ path: String) throws(SystemCallError) {
            var status = stat()
            let raw = file.raw
            _ = try checked("fstat(2)", path) { fstat(raw, &status) }
            self.init(status)
        }
    }

    private static let longestNote = 4096

    // MARK: taking it

    /// `nil` where another process holds it. What is at the path and is no file of ours is replaced, unless somebody holds it.
    package static func take(_ path: String, note: String) throws(SystemCallError) -> LockFile? {
        try Privileges.asOwner(of: directory(of: path)) { () throws(SystemCallError) -> LockFile? in
            // Again, where who ended has removed the file that was opened, or another has put a new one there.
            for _ in 0..<16 {
                if let file = try open(path, O_CREAT) {
                    guard try isLocked(file, path) else { return nil }
                    if try Place(at: path) == Place(of: file, path) { return LockFile(path, file, note) }
                } else if let found = try Place(at: path) {
                    if try locker(of: found) != nil { return nil }
                    if let lock = try replace(found, path, note) { return lock }
                }
            }
            return nil
        }
    }

    /// Puts a new file in the place of one whose holder can do nothing any more and keeps the lock; `nil` where that was done already.
    package static func take(_ path: String, from holder: Holder, note: String) throws(SystemCallError) -> LockFile? {
        try Privileges.asOwner(of: directory(of: path)) { () throws(SystemCallError) -> LockFile? in
            try replace(holder.place, path, note)
        }
    }

    /// The new file is locked before it gets its name, so of two who do this one gives up.
    private static func replace(
        _ former: Place, _ path: String, _ note: String
    ) throws(SystemCallError) -> LockFile? {
        let temporary = path + ".new"
        guard let file = try open(temporary, O_CREAT), try isLocked(file, temporary),
            try Place(at: temporary) == Place(of: file, temporary)
        else { return nil }
        guard try Place(at: path) == former else {
            Files.remove(temporary)
            return nil
        }
        _ = try checked("rename(2)", path) { rename(temporary, path) }
        return LockFile(path, file, note)
    }

    private init(_ path: String, _ file: consuming OwnedDescriptor, _ note: String) {
        // With /run full the lock is as good without: who looks at it then takes its holder for alive.
        try? Files.overwrite(file, with: Array(note.utf8))
        self.path = path
        self.file = file
    }

    /// Changes what the holder says of itself.
    package func say(_ note: String) throws(SystemCallError) {
        try Files.overwrite(file, with: Array(note.utf8))
    }

    /// Takes the file away. The lock itself ends with this value, which is to be soon.
    package func remove() throws(SystemCallError) {
        try Privileges.asOwner(of: Self.directory(of: path)) { () throws(SystemCallError) in
            if try Place(at: path) == Place(of: file, path) { Files.remove(path) }
        }
    }

    // MARK: looking at it

    /// Who holds the lock of a path; it is not taken for a moment, so that one who comes now does not find it taken.
    package static func holder(of path: String) throws(SystemCallError) -> Holder? {
        do throws(SystemCallError) {
            return try Privileges.asOwner(of: directory(of: path)) { () throws(SystemCallError) in
                guard let file = try open(path, 0) else {
                    guard let found = try Place(at: path), let pid = try locker(of: found) else { return nil }
                    return Holder(pid: pid, note: nil, place: found)
                }
                let raw = file.raw
                var lock = whole(F_WRLCK)
                _ = try checked("fcntl(2) F_GETLK", path) { fcntl(raw, F_GETLK, &lock) }
                if lock.l_type == Int16(F_UNLCK) { return nil }
                let note = try Files.contents(of: file, limit: longestNote)
                return Holder(
                    pid: lock.l_pid > 0 ? lock.l_pid : nil, note: String(decoding: note, as: UTF8.self),
                    place: try Place(of: file, path))
            }
        } catch  where error.isNobodyThere {
            return nil
        }
    }

    /// `nil` where what is there is another user's, or no regular file.
    private static func open(_ path: String, _ flags: Int32) throws(SystemCallError) -> OwnedDescriptor? {
        let file: OwnedDescriptor
        do throws(SystemCallError) {
            file = OwnedDescriptor(
                taking: try checked("open(2)", path) {
                    // O_NONBLOCK: a FIFO in its place must not hold us.
                    Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0o600)
                })
        } catch {
            guard error.errno == EACCES || error.errno == ELOOP, try Place(at: path) != nil else { throw error }
            return nil
        }
        var status = stat()
        let raw = file.raw
        _ = try checked("fstat(2)", path) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        return file
    }

    /// Locks it if nobody has.
    private static func isLocked(_ file: borrowing OwnedDescriptor, _ path: String) throws(SystemCallError) -> Bool {
        let raw = file.raw
        do throws(SystemCallError) {
            _ = try checked("fcntl(2) F_SETLK", path) {
                var lock = whole(F_WRLCK)
                return fcntl(raw, F_SETLK, &lock)
            }
            return true
        } catch  where error.errno == EACCES || error.errno == EAGAIN {
            return false
        }
    }

    private static func whole(_ type: Int32) -> Glibc.flock {
        Glibc.flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    /// Who holds a lock on a file that may not be opened: /proc/locks (proc_locks(5)) has a line like
    /// `1: POSIX  ADVISORY  WRITE 4711 00:1a:305 0 EOF` for each, with device and inode after the process.
    private static func locker(of place: Place) throws(SystemCallError) -> Int32? {
        let number = place.device
        let device = [number >> 8 & 0xfff | number >> 32 & ~0xfff, number & 0xff | number >> 12 & ~0xff]  // makedev(3)
        for line in try Files.text("/proc/locks").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 8, words[1] != "->" else { continue }
            let parts = words[5].split(separator: ":")
            if parts.count == 3, UInt64(parts[2]) == place.inode, parts[..<2].map({ UInt64($0, radix: 16) }) == device {
                return Int32(words[4])
            }
        }
        return nil
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension LockFile {
    /// Where who rules a network namespace says so: one place, whatever a daemon is told, for two daemons in one namespace must find
    /// each other.
    package static let runtimeDirectory = "/run/wanctl"

    /// The lock of a network namespace, by its number; without a path, of the calling thread's.
    package static func path(
        ofNamespace namespace: String = "/proc/thread-self/ns/net"
    ) throws(SystemCallError) -> String {
        var status = stat()
        _ = try checked("stat(2)", namespace) { stat(namespace, &status) }
        return "\(runtimeDirectory)/netns-\(status.st_ino).lock"
    }
}
