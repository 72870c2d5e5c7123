/// The ip(8) batches that make the namespaces a site of several boxes; the internet is that of a lab of one router (`Assembly`).
enum SiteAssembly {
    /// `ip -batch -`, in no namespace.
    static func namespaces(_ id: String, _ nodes: [SiteNode], _ hasHomeRouter: Bool) -> String {
        let name = { (place: SitePlace) in place.namespace(of: id) }
        let lanSwitch = name(.lanSwitch)
        return Assembly.lines(
            places(nodes, hasHomeRouter).map { "netns add \(name($0))" }
                + nodes.map { node in
                    "link add eth0 netns \(name(node.place)) type veth peer name \(node.port) netns \(lanSwitch)"
                } + [
                    "link add eth0 netns \(name(.lan)) type veth peer name lan0 netns \(lanSwitch)",
                    "link add br0 netns \(lanSwitch) type bridge",
                ] + homeRouterCable(hasHomeRouter, name))
    }

    static func places(_ nodes: [SiteNode], _ hasHomeRouter: Bool) -> [SitePlace] {
        nodes.map(\.place) + [.lanSwitch, .lan, .inet] + (hasHomeRouter ? [.jcom] : [])
    }

    /// The internet has JCOM's cable in any case, for its rules name it; without a home router it ends in nothing.
    private static func homeRouterCable(_ hasHomeRouter: Bool, _ name: (SitePlace) -> String) -> [String] {
        hasHomeRouter
            ? ["link add wan0 netns \(name(.jcom)) type veth peer name jcom0 netns \(name(.inet))"]
            : ["link add jcom0 netns \(name(.inet)) type veth peer name unused0 netns \(name(.inet))"]
    }

    /// What `ip -n NAMESPACE -batch -` reads for a place.
    static func addresses(of place: SitePlace, _ nodes: [SiteNode]) -> String {
        switch place {
        case .lanSwitch:
            return Assembly.lines(
                ["link set lo up", "link set br0 up"]
                    + (nodes.map(\.port) + ["lan0"]).flatMap { ["link set \($0) master br0", "link set \($0) up"] })
        // As in a lab of one router.
        case .inet: return Assembly.addresses(of: .inet)
        case .jcom: return Assembly.addresses(of: .jcom)
        case .lan: return Assembly.host(LabAddress.client, via: LabAddress.virtual)
        case .main, .sub, .third:
            return Assembly.lines(
                ["link set lo up"]
                    + nodes.filter { $0.place == place }.flatMap { node in
                        ["addr add \(node.address)/24 dev eth0", "link set eth0 up"]
                    })
        }
    }

    /// The LAN's interface, the rules and the routes of a box as a kernel has them that has just booted.
    static func boot(of node: SiteNode) -> String {
        Assembly.lines([
            "addr flush dev eth0", "addr add \(node.address)/24 dev eth0", "rule flush",
            "rule add priority 32766 table main", "rule add priority 32767 table default",
            "route flush table all proto 87",
        ])
    }

    static func cable(of node: SiteNode, _ cable: SiteCable) -> String {
        switch cable {
        case .connected: Assembly.lines(["link set \(node.port) master br0", "link set \(node.port) up"])
        case .unplugged: Assembly.lines(["link set \(node.port) down"])
        case .silent: Assembly.lines(["link set \(node.port) nomaster", "link set \(node.port) up"])
        }
    }
}
