internal import WANModel

extension Reading {
    /// The whole file.
    mutating func policy(_ root: YAMLNode) -> Policy {
        var policy = Policy()
        let file = Field(name: "the policy", node: root)
        guard let section = section(file, .file, path: "", at: .start) else { return policy }
        version(section)
        uplinkNames(section["uplinks"])
        policy.site = label(section["site"])
        policy.lan = lan(section["lan"]) ?? policy.lan
        policy.mark = marks(section["marks"]) ?? policy.mark
        ourMask = policy.mark.mask
        lanInterfaces = policy.lan.interfaces
        policy.nodes = nodes(section)
        policy.vrrp = vrrp(section)
        policy.uplinks = uplinks(section["uplinks"], at: section.position, lan: policy.lan)
        policy.failover = failover(section["failover"], uplinks: policy.uplinks)
        interfacesOfUplinks = Dictionary(policy.uplinks.map { ($0.interface, $0.name) }) { first, _ in first }
        policy.rules = rules(section)
        policy.forwards = forwards(section)
        policy.notifiers = notifiers(section)
        warnAboutForgotten(policy)
        checkNameServers(policy)
        checkSite(policy)
        return policy
    }

    private mutating func version(_ section: Section) {
        guard let field = section["version"] else {
            fault(section.position, "version is missing", "begin the file with `version: 1`")
            return
        }
        guard let text = text(field, "1") else { return }
        if text != "1" { fault(field.position, "version \(text.quoted) is unknown", "this release reads version 1") }
    }

    private mutating func lan(_ field: Field?) -> LAN? {
        guard let section = section(field, .lan, path: "lan") else { return nil }
        var lan = LAN()
        for element in elements(section["interfaces"], limit: 64) ?? [] {
            guard let name = interface(element) else { continue }
            if lan.interfaces.contains(name) {
                fault(element.position, "interface \(name) is in lan.interfaces twice", "remove one")
            } else {
                lan.interfaces.append(name)
            }
        }
        lan.forwarding = forwarding(section["forwarding"]) ?? lan.forwarding
        return lan
    }

    private mutating func forwarding(_ field: Field?) -> LAN.Forwarding? {
        guard let field, let text = text(field, "on or leave") else { return nil }
        switch text {
        case "on": return .on
        case "leave": return .leave
        default:
            fault(
                field.position, "forwarding must be on or leave, not \(text.quoted)",
                NearestName.of(text, among: ["on", "leave"]).map { "did you mean \($0.quoted)?" }
                    ?? "write leave to keep hands off it")
            return nil
        }
    }

    /// `marks: {mask: 0x00ff0000}`: which bits of fwmark and ct mark are ours, for those who use them otherwise.
    ///
    /// Uplink number N is N in the lowest of these bits and up, so the mask says where the marks begin, too.
    private mutating func marks(_ field: Field?) -> MarkLayout? {
        guard let section = section(field, .marks, path: "marks") else { return nil }
        guard let mask = section["mask"] else {
            fault(section.position, "marks has no mask", "write it like {mask: 0x00ff0000}")
            return nil
        }
        guard let value = integer(mask, in: 1...Int(UInt32.max), hex: true) else { return nil }
        let bits = UInt32(value)
        let run = bits >> UInt32(bits.trailingZeroBitCount)
        guard run & (run &+ 1) == 0, run >= 0xff else {
            fault(
                mask.position, "mask 0x\(String(value, radix: 16)) cannot hold the marks",
                "at least 8 bits side by side, for 64 uplinks and what is to be refused")
            return nil
        }
        return MarkLayout(mask: bits)
    }
}
