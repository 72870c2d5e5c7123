internal import LinuxIO
internal import NetworkTypes
internal import WANEngine
internal import WANModel

/// Name servers that pppd or a DHCP client hands out, and the file that names those of the selected uplink.
///
/// They write some time after a line is up, and anew when the lease does: their small files in /run are read again and again,
/// not on the way to a switch.
final class NameServers {
    /// What was handed out is another now.
    var onChange: () -> Void = {}
    var isAttached: (UplinkNumber) -> Bool = { _ in false }

    private let loop: EventLoop
    private let alarms: Alarms
    private var file: ResolverFile
    private var uplinks: [UplinkNumber: Uplink] = [:]
    private var handedOut: [UplinkNumber: [IPAddress]] = [:]
    private var timer: EventLoop.Timer?
    private static let pace: Int64 = 5_000_000_000

    init(loop: EventLoop, alarms: Alarms, besides socket: String) {
        self.loop = loop
        self.alarms = alarms
        file = ResolverFile(besides: socket)
    }

    func handedOut(to number: UplinkNumber) -> [IPAddress] { handedOut[number] ?? [] }

    /// At start and after a reload: reads the files of these uplinks now, and every five seconds.
    func adopt(_ uplinks: [UplinkNumber: Uplink]) {
        self.uplinks = uplinks
        handedOut = [:]
        alarms.clear { if case .nameServers = $0 { true } else { false } }
        if let timer { loop.cancel(timer) }
        timer = nil
        look()
    }

    private func look() {
        guard uplinks.values.contains(where: { $0.dnsFile != nil }) else { return }
        let before = handedOut
        for (number, settings) in uplinks {
            if let path = settings.dnsFile { read(path, number, settings.name) }
        }
        if handedOut != before { onChange() }
        timer = loop.schedule(at: Clock.boottime() + Self.pace) { [weak self] in self?.look() }
    }

    private func read(_ path: String, _ number: UplinkNumber, _ name: String) {
        do throws(SystemCallError) {
            let text = String(decoding: try Files.readRegular(path, limit: 64 << 10), as: UTF8.self)
            handedOut[number] = ResolverFile.servers(in: text)
            alarms.clear(.nameServers(number))
        } catch {
            // While the line is not up there may be none yet.
            handedOut[number] = nil
            if isAttached(number) { alarms.raise(.nameServers(number), "no name servers of \(name): \(error)") }
        }
    }

    /// Writes the servers of the first uplink of the ladder that has some. Those of an uplink that is down are of no use, and a
    /// file without any would leave its readers with nothing: then it stays as it was.
    func write(_ decision: Decision) {
        let share = decision.share
        let names = share.isEmpty ? [] : share + decision.ladder.filter { !share.contains($0) }
        var servers: [IPAddress] = []
        var owners: [String] = []
        for number in names where share.contains(number) || servers.isEmpty {
            guard let settings = uplinks[number] else { continue }
            let own = settings.dns + handedOut(to: number)
            if own.isEmpty { continue }
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
    /// Of the policy, and those that its provider handed out.
    func nameServers(of number: UplinkNumber) -> [IPAddress] {
        (uplink(number)?.dns ?? []) + names.handedOut(to: number)
    }

    /// At start and after a reload.
    func followNameServers() {
        names.isAttached = { [unowned self] number in attachments[number] != nil }
        names.onChange = { [unowned self] in
            router.reconcile()
            names.write(engine.decision)
        }
        names.adopt(Dictionary(uniqueKeysWithValues: inForce.uplinks.map { ($0.number, $0.settings) }))
        names.write(engine.decision)
    }
}
