internal import CLinux
internal import Glibc
internal import JSONText
internal import LinuxIO

/// The Unix socket of a lab, `/run/wanctl-lab/ID/control`: one JSON text a line each way.
enum ControlSocket {
    static func path(of id: String) -> String { "\(LabDirectory.root)/\(id)/control" }

    /// A line longer than this is nobody we know.
    static let longestLine = 1 << 20

    static func make(blocking: Bool) throws(SystemCallError) -> OwnedDescriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (blocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        return OwnedDescriptor(
            taking: try checked("socket(2)") { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0) })
    }

    /// Calls the body with the kernel's form of a path (unix(7)).
    static func withAddress<Answer>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Answer) -> Answer {
        var form = sockaddr_un()
        form.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &form.sun_path) { room in
            for (place, byte) in path.utf8.prefix(room.count - 1).enumerated() { room[place] = byte }
        }
        return withUnsafeBytes(of: &form) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { typed in
                guard let base = typed.baseAddress else { preconditionFailure("a sockaddr_un has bytes") }
                return body(base, socklen_t(bytes.count))
            }
        }
    }
}
