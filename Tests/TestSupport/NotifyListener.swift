internal import Glibc
package import LinuxIO

/// A socket where systemd would listen (sd_notify(3)).
package struct NotifyListener: ~Copyable {
    private let socket: OwnedDescriptor

    /// `name`: a path, or one that begins with @.
    package init(_ name: String) throws(SystemCallError) {
        socket = try Self.bound(to: name)
    }

    private static func bound(to name: String) throws(SystemCallError) -> OwnedDescriptor {
        let socket = OwnedDescriptor(
            taking: try checked("socket(2)") {
                Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8).enumerated().map { $0.offset == 0 && $0.element == 64 ? 0 : $0.element }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let raw = socket.raw
        _ = try checked("bind(2)", name) {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(raw, $0, length) }
            }
        }
        return socket
    }

    /// The oldest message that was not read yet; `nil` where there is none.
    package func message() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
