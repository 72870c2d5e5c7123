internal import LinuxIO
internal import NetworkTypes

/// The name servers of the selected uplink, in resolv.conf(5)'s format, for dnsmasq's `resolv-file` or a link to it.
///
/// Its readers see the old file or the new one, never a part.
struct ResolverFile {
    let path: String
    private var written: String?

    /// `/run/wanctl/resolv.conf` beside `/run/wanctl/wanctl.sock`.
    init(besides socket: String) {
        let slash = socket.lastIndex(of: "/")
        path = slash.map { "\(socket[...$0])resolv.conf" } ?? "resolv.conf"
    }

    /// Writes it where it says something else than before. `uplink`: whose servers these are, for people.
    mutating func update(_ servers: [IPAddress], of uplink: String) throws(SystemCallError) {
        var seen: Set<IPAddress> = []
        let lines = servers.filter { seen.insert($0).inserted }.map { "nameserver \($0)\n" }
        let text = "# Name servers of \(uplink), written by wanctld at each switch.\n" + lines.joined()
        guard text != written else { return }
        try Files.replace(path, with: Array(text.utf8), mode: 0o644)
        written = text
    }
}

extension ResolverFile {
    /// The `nameserver` lines of a resolv.conf(5); what is no address of another host is passed over: some peers hand out
    /// 0.0.0.0, and a resolver of the router's own would be sent to itself.
    static func servers(in text: String) -> [IPAddress] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver", let address = IPAddress(words[1]) else { return nil }
            switch address {
            case .v4(let v4): return v4.bits >> 24 == 0 || v4.isLoopback || v4.bits >> 28 >= 0xe ? nil : address
            case .v6(let v6): return v6.high == 0 && v6.low <= 1 || v6.isMulticast ? nil : address
            }
        }
    }
}
