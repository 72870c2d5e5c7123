internal import LinuxIO
package import NetworkTypes
internal import WANControl

/// The name servers of the selected uplink, in resolv.conf(5)'s format, for dnsmasq's `resolv-file` or a link to it.
///
/// Its readers see the old file or the new one, never a part.
package struct ResolverFile {
    let path: String
    private var written: String?

    /// `/run/wanctl/resolv.conf` beside `/run/wanctl/wanctl.sock`.
    init(besides socket: String) {
        path = pathBeside(socket, "resolv.conf")
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
    /// Of one file, as many as resolv.conf(5) reads (MAXNS).
    package static let most = 3

    package struct Servers: Hashable, Sendable {
        /// The first three.
        package var servers: [IPAddress] = []
        /// How many more there are.
        package var spare = 0

        package init() {}
    }

    /// The `nameserver` lines of a resolv.conf(5); what is no address of another host is passed over: some peers hand out
    /// 0.0.0.0, and a resolver of the router's own would be sent to itself.
    package static func servers(in text: String) -> Servers {
        var found = Servers()
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver", let address = IPAddress(words[1]), isHost(address),
                !found.servers.contains(address)
            else { continue }
            if found.servers.count < most { found.servers.append(address) } else { found.spare += 1 }
        }
        return found
    }

    private static func isHost(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let v4): !(v4.bits >> 24 == 0 || v4.isLoopback || v4.bits >> 28 >= 0xe)
        case .v6(let v6): !(v6.high == 0 && v6.low <= 1 || v6.isMulticast)
        }
    }
}
