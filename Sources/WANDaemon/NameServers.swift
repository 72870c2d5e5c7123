internal import LinuxIO
internal import NetworkTypes
internal import PacketWire
internal import WANEngine
internal import WANModel

/// Name servers of the policy, and those that pppd or a DHCP client hands out; the file that names those of the selected uplink.
///
/// They write some time after a line is up, and anew when the lease does: their small files in /run are read again and again,
/// not on the way to a switch.
final class NameServers {
    /// Other servers are led over their lines than before.
    var onChange: () -> Void = {}
    var isAttached: (UplinkNumber) -> Bool = { _ in false }
    /// What is around the lines now.
    var surroundings: () -> NameServerCheck = { NameServerCheck() }

    /// What became of the servers of a line that is attached.
    private struct Judged: Equatable {
        /// They get a route.
        var led: [IPAddress] = []
        /// They stand in the resolver file.
        var named: [IPAddress] = []
        /// Why some are not led, in words.
        var problem: String?
    }

    private let loop: EventLoop
    private let alarms: Alarms
    private var file: ResolverFile
    private var uplinks: [UplinkNumber: Uplink] = [:]
    /// What the files have; `problem` says why one has nothing.
    private var read: [UplinkNumber: (found: ResolverFile.Servers, problem: String?)] = [:]
    private var judged: [UplinkNumber: Judged] = [:]
    private var timer: EventLoop.Timer?
    private static let pace: Int64 = 5_000_000_000

    init(loop: EventLoop, alarms: Alarms, besides socket: String) {
        self.loop = loop
        self.alarms = alarms
        file = ResolverFile(besides: socket)
    }

    /// Those that have a route over this uplink.
    func led(over number: UplinkNumber) -> [IPAddress] { judged[number]?.led ?? [] }

    /// At start and after a reload: reads the files of these uplinks now, and every five seconds.
    func adopt(_ uplinks: [UplinkNumber: Uplink]) {
        self.uplinks = uplinks
        read = [:]
        alarms.clear { if case .nameServers = $0 { true } else { false } }
        if let timer { loop.cancel(timer) }
        timer = nil
        look()
    }

    private func look() {
        let files = uplinks.compactMap { number, settings in settings.dnsFile.map { (number, $0) } }
        for (number, path) in files { read(path, number) }
        if judge() { onChange() }
        tell()
        guard !files.isEmpty else { return }
        timer = loop.schedule(at: Clock.boottime() + Self.pace) { [weak self] in self?.look() }
    }

    private func read(_ path: String, _ number: UplinkNumber) {
        do throws(SystemCallError) {
            let text = String(decoding: try Files.readRegular(path, limit: 64 << 10), as: UTF8.self)
            read[number] = (ResolverFile.servers(in: text), nil)
        } catch {
            read[number] = (ResolverFile.Servers(), "\(error)")
        }
    }

    /// Looks anew at what each server is, for what is around has changed; whether other ones are led or named now.
    func judge() -> Bool {
        let before = judged
        guard !before.isEmpty || uplinks.values.contains(where: { !$0.dns.isEmpty || $0.dnsFile != nil }) else {
            return false
        }
        let check = surroundings()
        judged = [:]
        for (number, settings) in uplinks {
            // While the line is not up there may be none yet, and which network it stands in is not known.
            if isAttached(number) { judged[number] = judge(settings, number, by: check) }
        }
        return judged != before
    }

    /// What was found, for people.
    func tell() {
        for (number, settings) in uplinks {
            let unread = judged[number] == nil ? nil : read[number]?.problem
            if let problem = unread.map({ "no name servers of \(settings.name): \($0)" }) ?? judged[number]?.problem {
                alarms.raise(.nameServers(number), problem)
            } else {
                alarms.clear(.nameServers(number))
            }
        }
    }

    private func judge(_ settings: Uplink, _ number: UplinkNumber, by check: NameServerCheck) -> Judged {
        var judged = Judged()
        var reasons: [String] = []
        for server in settings.dns + (read[number]?.found.servers ?? []) {
            switch check.verdict(on: server, of: number) {
            case .led:
                judged.led.append(server)
                judged.named.append(server)
            case .near, .open: judged.named.append(server)
            case .refused(let reason): reasons.append("\(server) \(reason) and is left out")
            }
        }
        let spare = read[number]?.found.spare ?? 0
        if spare > 0 { reasons.append("only the first \(ResolverFile.most) count, \(spare) more are left out") }
        if !reasons.isEmpty { judged.problem = "name servers of \(settings.name): \(reasons.joined(separator: "; "))" }
        return judged
    }

    /// Writes the servers of the first uplink of the ladder that has some. Those of an uplink that is down are of no use, and a
    /// file without any would leave its readers with nothing: then it stays as it was.
    func write(_ decision: Decision) {
        let share = decision.share
        let names = share.isEmpty ? [] : share + decision.ladder.filter { !share.contains($0) }
        var servers: [IPAddress] = []
        var owners: [String] = []
        for number in names where share.contains(number) || servers.isEmpty {
            guard let settings = uplinks[number], let own = judged[number]?.named, !own.isEmpty else { continue }
            servers += own
            owners.append(settings.name)
        }
        guard !servers.isEmpty else { return }
        do throws(SystemCallError) {
            try file.update(servers, of: owners.joined(separator: " and "))
            alarms.clear(.resolver)
        } catch {
            alarms.raise(.resolver, "the resolver file could not be written: \(error)")
        }
    }
}

extension Daemon {
    /// Before the kernel is watched, and after a reload.
    func followNameServers() {
        names.isAttached = { [unowned self] number in attachments[number] != nil }
        names.surroundings = { [unowned self] in nameServerCheck() }
        names.onChange = { [unowned self] in
            router.reconcile()
            names.write(engine.decision)
        }
        names.adopt(Dictionary(uniqueKeysWithValues: inForce.uplinks.map { ($0.number, $0.settings) }))
        names.write(engine.decision)
    }

    private func nameServerCheck() -> NameServerCheck {
        let uplinks = inForce.uplinks
        let numbers = Dictionary(uplinks.map { ($0.settings.interface, $0.number) }) { first, _ in first }
        var check = router.picture.nameServerCheck(numbers)
        if let address = policy.vrrp?.address.address { check.own.insert(address) }
        check.lines = uplinks.map { number, settings in
            NameServerCheck.Line(
                number: number, name: settings.name, gateway: attachments[number]?.gateway ?? settings.gateway,
                targets: settings.probe.targets + [settings.keepalive?.target].compactMap(\.self))
        }
        return check
    }
}

extension KernelPicture {
    /// The networks and addresses of this box, and which uplink stands in them by its interface.
    fileprivate func nameServerCheck(_ uplinks: [String: UplinkNumber]) -> NameServerCheck {
        var check = NameServerCheck()
        for (index, list) in addresses {
            guard let name = links[index]?.name else { continue }
            for address in list {
                check.own.insert(address.local)
                check.networks.append(
                    .init(
                        address.network, interface: name, uplink: uplinks[name],
                        hasRoute: !address.flags.contains(.noPrefixRoute)))
            }
        }
        // The same words for the same things.
        check.networks.sort { $0.interface < $1.interface }
        return check
    }
}
