package import NetworkTypes

/// Where chaos happens.
package enum ChaosScene: String, Hashable, Sendable, CaseIterable {
    /// One router with fibre, cable and SIM.
    case oneRouter = "one router"
    /// A site: fibre on `main`, the SIM on `sub`.
    case twoBoxes = "two boxes"

    package var boxes: [ChaosBox] { self == .oneRouter ? [.router] : [.main, .sub] }

    /// The lines, best first; traffic belongs on the first.
    package var lines: [LabUplink] { self == .oneRouter ? [.ftth, .jcom, .soracom] : [.ftth, .soracom] }
}

/// A machine that runs wanctld.
package enum ChaosBox: String, Hashable, Sendable, CaseIterable {
    case router, main, sub

    /// Its best line, which is `ppp0` on each.
    var best: LabUplink { self == .sub ? SiteNode.sub.uplink : SiteNode.main.uplink }

    func has(_ line: LabUplink) -> Bool { self == .router || line == best }
}

/// Something that goes wrong, or that somebody does at a bad moment. A value: `ChaosWorld` makes it happen.
package enum ChaosAct: Hashable, Sendable {
    /// In the words of `wanctl-lab fault`.
    case line(LabUplink, String)
    /// In the words of `wanctl-lab target`.
    case target(IPv4Address, String, over: LabUplink)
    /// The provider gives the line another address.
    case renumber(LabUplink)
    case stranger(ChaosBox, StrangersDeed)
    /// In the words of wanctl(1).
    case order(ChaosBox, String)
    case policy(ChaosBox, PolicyEdit)
    case daemon(ChaosBox, DaemonDeed)
    /// A disk is full.
    case disk(ChaosBox, ChaosDisk)
    case helper(ChaosBox, HelperDeed)
    case soracom(SoracomTrouble)
    case keepalived(ChaosBox, KeepalivedDeed)
    /// The cable between a box and the LAN's switch.
    case cable(ChaosBox, SiteCable)
    /// The box loses its power.
    case power(ChaosBox)
}

/// What another program does to a box: scripts of sh(1), in which `$1` is the box's /run/wanctl.
package enum StrangersDeed: String, Hashable, Sendable, CaseIterable {
    case deletesTable = "nft delete table inet wanctl"
    case flushesRuleset = "nft flush ruleset"
    case flushesSet = "nft flush set inet wanctl uplinks"
    case deletesChain = "nft delete chain inet wanctl srcnat"
    case flushesLadder = "ip route flush table 8700"
    case flushesRoutes = "ip route flush table all proto 87"
    case deletesRule = "ip rule del pref 8999"
    /// It puts back what every Linux has, as who does so must.
    case flushesRules = "ip rule flush && ip rule add pref 32766 lookup main && ip rule add pref 32767 lookup default"
    case flushesFlows = "conntrack -F"
    case deletesFlows = "conntrack -D -p udp"
    case removesHealth = "rm \"$1/health\""
    /// As a PPP or DHCP client does.
    case setsDefault = "ip route add default dev ppp0 metric 0 proto static"
    case downsLine = "ip link set ppp0 down"
    case downsLAN = "ip link set eth0 down"
    case flushesAddress = "ip addr flush dev ppp0"

    /// What somebody has to do then; the others are the daemon's own to mend.
    package func undoing(on box: ChaosBox) -> String? {
        switch self {
        case .setsDefault: "ip route del default metric 0 proto static"
        case .downsLine: "ip link set ppp0 up"
        case .downsLAN: "ip link set eth0 up"
        case .flushesAddress: "ip addr replace \(box.best.address) peer \(box.best.gateway) dev ppp0"
        default: nil
        }
    }

    /// Whether it is done to the line of the box's `ppp0`.
    var needsLine: Bool { [.setsDefault, .downsLine, .flushesAddress].contains(self) }

    package func happens(in scene: ChaosScene) -> Bool { self != .removesHealth || scene == .twoBoxes }
}

/// What the daemon writes to.
package enum ChaosDisk: String, Hashable, Sendable, CaseIterable {
    /// Socket, health and FIFO: what a boot empties.
    case run = "/run"
    case state = "/var/lib"
}

package enum DaemonDeed: String, Hashable, Sendable, CaseIterable {
    case kill, terminate, restart, crash, hang
    /// It hangs, and another one is started beside it.
    case succeed
    /// `wanctld --cleanup`, where none runs.
    case cleanUp = "clean-up"
    /// `wanctld --hand-over`, as the unit's timer has it where none answers.
    case handOver = "hand-over"
}

/// What happens to a process beside the daemon; a recorder that hangs is one whose disk does.
package enum HelperDeed: String, Hashable, Sendable, CaseIterable {
    case recorderHangs = "recorder hangs"
    case recorderKilled = "recorder killed"
    case courierKilled = "courier killed"
}

package enum KeepalivedDeed: String, Hashable, Sendable, CaseIterable { case kill, stop, restart, reload }

/// What somebody does to the policy file before `wanctl reload`.
package enum PolicyEdit: String, Hashable, Sendable, CaseIterable {
    case longerHold = "longer hold"
    case fewerTargets = "fewer targets"
    case addedRule = "a rule more"
    case otherOrder = "another order"
    case oneLineLess = "a line less"
    case emptied, halved, garbled, removed
    case unknownKey = "unknown key"

    /// Whether the daemon has to take it.
    package var isGood: Bool {
        switch self {
        case .longerHold, .fewerTargets, .addedRule, .otherOrder, .oneLineLess: true
        case .emptied, .halved, .garbled, .removed, .unknownKey: false
        }
    }

    /// What the file says then; `nil` is no file.
    package func applied(to text: String) -> [UInt8]? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        /// Changes the first line that begins so.
        func change(_ start: String, _ body: (String) -> String) {
            guard let place = lines.firstIndex(where: { $0.hasPrefix(start) }) else { return }
            lines[place] = body(lines[place])
        }
        let order = "  order: ["
        /// The uplinks of `failover.order`.
        func reorder(_ body: ([Substring]) -> [Substring]) {
            change(order) { line in
                let names = line.dropFirst(order.count).dropLast().split { $0 == "," || $0 == " " }
                return order + body(names).joined(separator: ", ") + "]"
            }
        }
        switch self {
        case .longerHold: change("  hold: ") { _ in "  hold: 3s" }
        case .fewerTargets: change("      targets: [") { _ in "      targets: [8.8.8.8, 1.1.1.1]" }
        case .addedRule:
            lines.append(
                "rules:\n  - {name: mail, match: {protocol: tcp, port: 25}, order: [ftth], otherwise: reject}\n")
        case .otherOrder: reorder { $0.reversed() }
        case .oneLineLess:
            // It stays among the uplinks: only nothing of the LAN may take it.
            reorder { $0.filter { $0 != "jcom" } }
        case .emptied: return []
        case .halved: return Array(text[...(text.lastIndex(of: "{") ?? text.startIndex)].utf8)
        case .garbled: return (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 3) }
        case .removed: return nil
        case .unknownKey: lines.append("colour: blue\n")
        }
        return Array(lines.joined(separator: "\n").utf8)
    }
}

/// What SORACOM's services do wrong until they are healed.
package enum SoracomTrouble: String, Hashable, Sendable, CaseIterable {
    case metadataOff = "metadata off"
    case metadataReadOnly = "metadata read-only"
    case metadataClosed = "metadata closed"
    case apiClosed = "API closed"
    case apiHangs = "API hangs"
    case apiFails = "API fails"
    case allFail = "all fail"
    case allReset = "all reset"
    case allAnswersCut = "all answers cut"
    case tooManyRequests = "too many requests"
    case keepsClass = "class kept"
    case strangeAnswers = "strange answers"
    case tokensForgotten = "tokens forgotten"
}

extension ChaosAct {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case line, target, stranger, order, policy, daemon, disk, helper, soracom, keepalived, cable, power

        /// Whether there is such a thing there.
        package func happens(in scene: ChaosScene) -> Bool {
            switch self {
            case .keepalived, .cable, .power: scene == .twoBoxes
            default: true
            }
        }
    }

    package var kind: Kind { parts.kind }
    /// What of its kind it is, for the counts.
    package var name: String { parts.name }

    private var parts: (kind: Kind, name: String, place: String) {
        func first(_ words: String) -> String { words.split(separator: " ").first.map(String.init) ?? words }
        switch self {
        case .line(let line, let words): return (.line, first(words), line.rawValue)
        case .target(let address, let words, let line):
            return (.target, first(words), "\(address) over \(line.rawValue)")
        case .renumber(let line): return (.line, "renumbered", line.rawValue)
        case .stranger(let box, let deed): return (.stranger, deed.rawValue, box.rawValue)
        case .order(let box, let words): return (.order, first(words), box.rawValue)
        case .policy(let box, let edit): return (.policy, edit.rawValue, box.rawValue)
        case .daemon(let box, let deed): return (.daemon, deed.rawValue, box.rawValue)
        case .disk(let box, let disk): return (.disk, "\(disk.rawValue) is full", box.rawValue)
        case .helper(let box, let deed): return (.helper, deed.rawValue, box.rawValue)
        case .soracom(let trouble): return (.soracom, trouble.rawValue, "")
        case .keepalived(let box, let deed): return (.keepalived, deed.rawValue, box.rawValue)
        case .cable(let box, let state): return (.cable, state == .silent ? "silent" : "unplugged", box.rawValue)
        case .power(let box): return (.power, "off", box.rawValue)
        }
    }
}

extension ChaosAct: CustomStringConvertible {
    package var description: String {
        let (kind, name, place) = parts
        let words =
            switch self {
            case .line(_, let words), .target(_, let words, _), .order(_, let words): words
            default: name
            }
        return place.isEmpty ? "\(kind.rawValue): \(words)" : "\(kind.rawValue) of \(place): \(words)"
    }
}
