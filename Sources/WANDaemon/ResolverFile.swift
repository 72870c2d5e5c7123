internal import LinuxIO
internal import NetworkTypes
internal import WANEngine
internal import WANModel

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

extension Daemon {
    /// The name servers of the first uplink of the ladder that has some. Those of an uplink that is down are of no use, and a
    /// file without any would leave its readers with nothing: then it stays as it was.
    func writeResolver() {
        guard policy.uplinks.contains(where: { !$0.dns.isEmpty || $0.dnsFile != nil }) else { return }
        let share = engine.decision.share
        let names = share.isEmpty ? [] : share + engine.decision.ladder.filter { !share.contains($0) }
        var servers: [IPAddress] = []
        var owners: [String] = []
        for number in names where share.contains(number) || servers.isEmpty {
            let own = nameServers(of: number)
            guard !own.isEmpty else { continue }
            servers += own
            owners.append(name(number))
        }
        guard !servers.isEmpty else { return }
        do throws(SystemCallError) {
            try resolver.update(servers, of: owners.joined(separator: " and "))
            alarms.clear(.resolver)
        } catch {
            alarms.raise(.resolver, "the resolver file could not be written: \(error)")
        }
    }

    /// Of the policy, and those that its provider handed out.
    func nameServers(of number: UplinkNumber) -> [IPAddress] {
        (uplink(number)?.dns ?? []) + (handedOutServers[number] ?? [])
    }

    /// Reads what pppd or a DHCP client wrote, again and again: they write it some time after the line is up, and anew when
    /// the lease does. Small files of /run, not on the way to a switch.
    func followHandedOutServers() {
        if let handedOutTimer { loop.cancel(handedOutTimer) }
        handedOutTimer = nil
        guard policy.uplinks.contains(where: { $0.dnsFile != nil }) else { return }
        let before = handedOutServers
        readHandedOutServers()
        if handedOutServers != before {
            reconcile()
            writeResolver()
        }
        handedOutTimer = loop.schedule(at: Clock.boottime() + 5_000_000_000) { [weak self] in
            self?.followHandedOutServers()
        }
    }

    private func readHandedOutServers() {
        for settings in policy.uplinks {
            guard let path = settings.dnsFile, let number = state.numbers[settings.name] else { continue }
            do throws(SystemCallError) {
                let text = String(decoding: try Files.readRegular(path, limit: 64 << 10), as: UTF8.self)
                handedOutServers[number] = ResolverFile.servers(in: text)
                alarms.clear(.nameServers(number))
            } catch {
                // While the line is not up there may be none yet.
                handedOutServers[number] = nil
                if attachments[number] != nil {
                    alarms.raise(.nameServers(number), "no name servers of \(settings.name): \(error)")
                }
            }
        }
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
