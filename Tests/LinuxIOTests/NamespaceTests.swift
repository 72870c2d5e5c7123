import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("NetworkNamespace", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct NamespaceTests {
    private struct Fault: Error {}

    /// Which namespace the calling thread is in, by its number.
    private func here() throws -> UInt64 {
        var status = stat()
        _ = try checked("stat(2)") { stat("/proc/thread-self/ns/net", &status) }
        return UInt64(status.st_ino)
    }

    @Test("a fresh one is another one, and the thread stays where it was")
    func make() throws {
        let home = try here()
        let made = try NetworkNamespace.make()
        #expect(try here() == home)
        let inside = try made.inside { try here() }
        #expect(inside != home)
        #expect(try here() == home)
    }

    @Test("an error inside comes out, and the thread comes home")
    func errorInside() throws {
        let home = try here()
        let made = try NetworkNamespace.make()
        #expect(throws: Fault.self) { try made.inside { () throws(Fault) in throw Fault() } }
        #expect(try here() == home)
    }

    @Test("one inside another leads back step by step")
    func nested() throws {
        let outer = try NetworkNamespace.make()
        let inner = try NetworkNamespace.make()
        try outer.inside {
            let namespace = try here()
            let deeper = try inner.inside { try here() }
            #expect(deeper != namespace)
            #expect(try here() == namespace)
        }
    }

    @Test("a socket opened inside belongs to it for good")
    func socketStays() throws {
        let made = try NetworkNamespace.make()
        // Its loopback is down: nothing can be reached through a socket of that namespace.
        let raw = try made.inside { socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }
        let descriptor = OwnedDescriptor(taking: raw)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(9).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor.raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(result == -1 && errno == ENETUNREACH)
    }

    @Test("what is no namespace is refused")
    func refused() throws {
        #expect(throws: SystemCallError(call: "open(2)", errno: ENOENT, subject: "/run/netns/nowhere")) {
            _ = try NetworkNamespace.open("/run/netns/nowhere")
        }
        let file = try NetworkNamespace.open("/dev/null")
        #expect(throws: SystemCallError(call: "setns(2)", errno: EINVAL)) { try file.inside {} }
    }
}
