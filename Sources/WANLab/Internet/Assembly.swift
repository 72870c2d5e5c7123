internal import NetworkTypes

/// The ip(8) batches and nft(8) rulesets that make the namespaces a small internet.
enum Assembly {
    // ip -batch -
    static func namespaces(_ id: String) -> String {
        let name = { (place: LabPlace) in place.namespace(of: id) }
        return lines(
            LabPlace.allCases.map { "netns add \(name($0))" } + [
                "link add eth0 netns \(name(.router)) type veth peer name eth0 netns \(name(.lan))",
                "link add eth1 netns \(name(.router)) type veth peer name eth0 netns \(name(.guest))",
                "link add wan0 netns \(name(.jcom)) type veth peer name jcom0 netns \(name(.inet))",
            ])
    }

    /// What `ip -n NAMESPACE -batch -` reads for a place; the router's uplinks come apart (`nearEnd`).
    static func addresses(of place: LabPlace) -> String {
        let upLoopback = ["link set lo up"]
        switch place {
        case .router:
            return lines(
                upLoopback + [
                    "addr add \(LabAddress.router)/24 dev eth0", "link set eth0 up",
                    "addr add \(LabAddress.guestRouter)/24 dev eth1", "link set eth1 up",
                ])
        case .lan: return host(LabAddress.client, via: LabAddress.router)
        case .guest: return host(LabAddress.guest, via: LabAddress.guestRouter)
        case .jcom:
            return lines(
                upLoopback + [
                    "addr add \(LabUplink.jcom.publicAddress)/24 dev wan0", "link set wan0 up",
                    "route add default via \(LabAddress.jcomPublicGateway)",
                    "addr add \(LabUplink.jcom.gateway)/24 dev \(LabUplink.jcom.farInterface)",
                    "link set \(LabUplink.jcom.farInterface) up",
                ])
        case .inet:
            let own =
                LabAddress.targets + [
                    LabAddress.content, LabAddress.caller, LabAddress.soracomAPI, LabAddress.soracomMetadata,
                ]
            return lines(
                upLoopback + own.map { "addr add \($0)/32 dev lo" } + [
                    "addr add \(LabAddress.jcomPublicGateway)/24 dev jcom0", "link set jcom0 up",
                ]
                    + LabUplink.allCases.filter(\.isPointToPoint).flatMap { uplink in
                        [
                            "addr add \(uplink.gateway) peer \(uplink.address) dev \(uplink.farInterface)",
                            "link set \(uplink.farInterface) mtu \(uplink.mtu) up",
                        ]
                    })
        }
    }

    /// What pppd, or hostapd's client and dhclient, would do when the line comes up; without any default route.
    static func nearEnd(of uplink: LabUplink, _ interface: String, _ address: IPv4Address) -> String {
        lines([
            uplink.isPointToPoint
                ? "addr add \(address) peer \(uplink.gateway) dev \(interface)"
                : "addr add \(address)/24 brd + dev \(interface)",
            "link set \(interface) mtu \(uplink.mtu) up",
        ])
    }

    /// A provider takes only packets from the address it gave (BCP 38), and SORACOM's services are on its line alone.
    static let inetRuleset: String = {
        let lines = LabUplink.allCases.filter(\.isPointToPoint)
        let sets = lines.map { uplink in
            """
                counter wrong-\(uplink) { }
                set from-\(uplink) { type ipv4_addr; elements = { \(uplink.address) } }

            """
        }
        let checks = lines.map { uplink in
            """
                    iifname "\(uplink.farInterface)" ip saddr != @from-\(uplink) update @wrong { iifname . ip saddr } \
            counter name wrong-\(uplink) drop

            """
        }
        return """
            table inet lab {
                set wrong { type ifname . ipv4_addr; flags dynamic; size 4096; counter; }
            \(sets.joined())
                chain check {
                    type filter hook prerouting priority raw; policy accept;
            \(checks.joined())
                    iifname { "jcom0", "ftth0" } ip daddr \(LabAddress.soracomMetadata) drop
                }
            }

            """
    }()

    /// A home router that translates its own network and takes nothing else.
    static let jcomRuleset = """
        table inet lab {
            set wrong { type ifname . ipv4_addr; flags dynamic; size 4096; counter; }
            counter wrong-jcom { }
            chain check {
                type filter hook prerouting priority raw; policy accept;
                iifname "lan0" ip saddr != 192.168.3.0/24 update @wrong { iifname . ip saddr } counter name wrong-jcom drop
            }
            chain translate {
                type nat hook postrouting priority srcnat; policy accept;
                oifname "wan0" masquerade
            }
        }

        """

    /// What changes at the provider when it gives an uplink another address.
    static func newAddress(_ address: IPv4Address, of uplink: LabUplink) -> (routes: String, ruleset: String) {
        (
            lines([
                "addr flush dev \(uplink.farInterface)",
                "addr add \(uplink.gateway) peer \(address) dev \(uplink.farInterface)",
            ]),
            """
            flush set inet lab from-\(uplink)
            add element inet lab from-\(uplink) { \(address) }

            """
        )
    }

    /// One interface and a default gateway.
    static func host(_ address: IPv4Address, via gateway: IPv4Address) -> String {
        lines([
            "link set lo up", "addr add \(address)/24 dev eth0", "link set eth0 up", "route add default via \(gateway)",
        ])
    }

    static func lines(_ commands: [String]) -> String { commands.joined(separator: "\n") + "\n" }
}
