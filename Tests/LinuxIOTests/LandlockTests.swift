import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("Landlock")
struct LandlockTests {
    /// On a thread of its own, which keeps its bonds to itself. Root needs no `no_new_privs`.
    @Test(
        "who is confined reads and writes where he may and nowhere else, though he is root, and starts no program",
        .enabled(if: geteuid() == 0, "needs root"))
    func confined() throws {
        let directory = try TemporaryDirectory()
        for name in ["read", "write", "other"] {
            #expect(mkdir("\(directory.path)/\(name)", 0o755) == 0)
            _ = try directory.write(name, to: "\(name)/file", mode: 0o644)
        }
        let (path, tries) = (directory.path, Tries())
        let thread = try WorkerThread {
            do {
                tries.version = try Landlock.confine(
                    reading: ["\(path)/read", "\(path)/nowhere"], writing: ["\(path)/write"])
                tries.read = ["read", "write", "other"].map { Tries.read("\(path)/\($0)/file") }
                tries.write = ["read", "write", "other"].map { Tries.write("\(path)/\($0)/file") }
                tries.make = ["read", "write", "other"].map { Tries.write("\(path)/\($0)/new") }
                tries.program = (try? ChildProcess("/bin/true", [])) == nil
            } catch {
                tries.error = "\(error)"
            }
        }
        thread.join()
        #expect(tries.error == nil)
        // 0 where the kernel has none.
        guard tries.version != 0 else { return }
        #expect(tries.read == [0, 0, EACCES])
        #expect(tries.write == [EACCES, 0, EACCES])
        #expect(tries.make == [EACCES, 0, EACCES])
        #expect(tries.program)
        // The other threads of this process are as free as ever.
        #expect(Tries.write("\(path)/other/file") == 0)
    }
}

/// What a thread found out; read when it has ended.
private final class Tries: @unchecked Sendable {
    var version = -1
    var error: String?
    var read: [Int32] = []
    var write: [Int32] = []
    var make: [Int32] = []
    var program = false

    static func read(_ path: String) -> Int32 { opened(path, O_RDONLY) }
    static func write(_ path: String) -> Int32 { opened(path, O_WRONLY | O_CREAT | O_TRUNC) }

    /// 0 or errno(3).
    private static func opened(_ path: String, _ flags: Int32) -> Int32 {
        let raw = open(path, flags | O_CLOEXEC, 0o600)
        if raw < 0 { return errno }
        close(raw)
        return 0
    }
}
