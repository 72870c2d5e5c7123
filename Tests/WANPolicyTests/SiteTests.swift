import NetworkTypes
import Testing
import WANModel
import WANPolicy

/// Two boxes, in six lines; `vrrp` gets more keys in line 6, `nodes` more nodes in line 5.
private func site(vrrp: String = "", nodes: String = "", rest: String = "") -> String {
    """
    version: 1
    uplinks:
      ftth: {node: main, interface: ppp0}
      soracom: {node: sub, interface: ppp0}
    nodes: {main: {address: 192.168.0.1}, sub: {address: 192.168.0.2}\(nodes)}
    vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24\(vrrp), key: site.key}
    \(rest)
    """
}

@Suite("a site of several boxes")
struct SiteTests {
    @Test("vrrp has its defaults")
    func defaults() throws {
        let found = try read(site())
        let vrrp = try #require(found.policy.vrrp)
        #expect(vrrp.advertisement == .milliseconds(100))
        #expect(vrrp.preempts)
        #expect(vrrp.preemptDelay == .zero)
        #expect(vrrp.isUnicast)
        #expect(vrrp.priority == 100)
        #expect(vrrp.trackFile == "/run/wanctl/health")
        #expect(vrrp.notifyFIFO == "/run/wanctl/vrrp.fifo")
        #expect(vrrp.backupForwarding == .leave)
        #expect(vrrp.key == "site.key")
        #expect(found.warnings == [])
    }

    @Test("everything of vrrp is read")
    func everything() throws {
        let found = try read(
            site(
                vrrp:
                    ", advertisement: 40s, preempt-delay: 1.5s, unicast: false, priority: 251, track-file: /a/b, notify-fifo: /a/c, backup: {forwarding: off}"
            ))
        let vrrp = try #require(found.policy.vrrp)
        #expect(vrrp.advertisement == .seconds(40))
        #expect(vrrp.preemptDelay == .milliseconds(1500))
        #expect(!vrrp.isUnicast)
        #expect(vrrp.priority == 251)
        #expect([vrrp.trackFile, vrrp.notifyFIFO] == ["/a/b", "/a/c"])
        #expect(vrrp.backupForwarding == .off)
        #expect(try read(site(vrrp: ", preempt: false")).policy.vrrp?.preempts == false)
        #expect(try read(site(vrrp: ", advertisement: 10ms")).policy.vrrp?.advertisement == .milliseconds(10))
    }

    @Test(
        "faults of a site",
        arguments: [
            Faulty(
                site().replacing(
                    "main, interface: ppp0",
                    with: "main, interface: ppp0, dns: [192.168.0.254, 192.168.0.2, 192.168.0.7]"),
                "3:45: dns 192.168.0.254 is the virtual address; a route over \"ftth\" would take it away from there; name the provider's own server",
                "3:60: dns 192.168.0.2 is in the LAN, in the network of the virtual address 192.168.0.254/24; a route over \"ftth\" would take it away from there; name the provider's own server",
                "3:73: dns 192.168.0.7 is in the LAN, in the network of the virtual address 192.168.0.254/24; a route over \"ftth\" would take it away from there; name the provider's own server"
            ),
            Faulty(
                "version: 1\nuplinks: {a: {node: m, interface: ppp0}}\nnodes: {m: {address: 10.0.0.1}}\n",
                "3:1: nodes needs vrrp; say which address they share, such as vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24}"
            ),
            Faulty(
                minimal("vrrp: {instance: V, interface: eth0, router-id: 1, address: 10.0.0.9/24}\n"),
                "4:1: vrrp needs nodes; name the boxes that share the address"),
            Faulty(
                site().replacing("192.168.0.254/24", with: "192.168.0.0/24"),
                "6:65: address 192.168.0.0/24 is the network itself; write the address that the hosts have as their gateway, such as 192.168.0.254/24"
            ),
            Faulty(
                site(vrrp: ", advertisement: 15ms"),
                "6:98: advertisement 15ms is no multiple of 10ms; VRRP counts hundredths of a second"),
            Faulty(
                site(vrrp: ", advertisement: 1ms"), "6:98: advertisement 1ms is too short; it may be 10ms to 40s"),
            Faulty(
                site(vrrp: ", preempt-delay: 20m"), "6:98: preempt-delay 20m is too long; it may be 0s to 1000s"),
            Faulty(site(vrrp: ", preempt: no"), "6:92: preempt must be true or false, not \"no\"; write false"),
            Faulty(
                site(vrrp: ", priority: 252"),
                "6:83: priority 252 leaves no room for the health of 2 uplinks; it may be 1 to 251: each adds one at least, and 254 is the end"
            ),
            Faulty(site(vrrp: ", priority: 254"), "6:93: priority 254 is out of range; it may be 1 to 252"),
            Faulty(
                site(vrrp: ", track-file: run/health"),
                "6:95: track-file \"run/health\" cannot be used; write an absolute path of letters, digits and + , - . / : = _"
            ),
            Faulty(
                site(vrrp: ", notify-fifo: \"/run/a b\""),
                "6:96: notify-fifo \"/run/a b\" cannot be used; write an absolute path of letters, digits and + , - . / : = _"
            ),
            Faulty(
                site(vrrp: ", track-file: /a/../b"),
                "6:95: track-file \"/a/../b\" cannot be used; write an absolute path of letters, digits and + , - . / : = _"
            ),
            Faulty(
                site(vrrp: ", notify-fifo: /run/wanctl/health"),
                "6:83: track-file and notify-fifo are the same file; give each its own"),
            Faulty(
                site(vrrp: ", backup: {forwarding: on}"),
                "6:104: forwarding must be off or leave, not \"on\""),
            Faulty(
                site(vrrp: ", advert_int: 1s"),
                "6:83: unknown key \"advert_int\"; known: instance, interface, router-id, address, advertisement, preempt, preempt-delay, unicast, priority, track-file, notify-fifo, key, backup"
            ),
            Faulty(
                site(nodes: ", x: {address: 192.168.0.254}"),
                "5:72: address 192.168.0.254 of node \"x\" is the virtual one; each box keeps an address of its own, for only one has the virtual one"
            ),
            Faulty(
                site(nodes: ", x: {address: 192.168.0.2}"), "5:81: address 192.168.0.2 belongs to node \"sub\" already"),
            Faulty(
                site(rest: "lan: {interfaces: [eth0]}\n").replacing(
                    "interface: ppp0}\n  s", with: "interface: eth1}\n  s"
                )
                .replacing("interface: eth0, r", with: "interface: eth1, r"),
                "6:24: interface eth1 is the one of uplink \"ftth\"; the virtual address belongs on an interface of the LAN"
            ),
            Faulty(
                site().replacing("VI_1", with: "VI 1"),
                "6:18: instance \"VI 1\" cannot be used; write 1 to 32 letters, digits and . _ -, such as VI_1"),
            Faulty(
                site().replacing("soracom: {node: sub, ", with: "soracom: {"),
                "4:3: uplink \"soracom\" has no node; say which box has it: main or sub"),
            Faulty(
                site().replacing("node: sub", with: "node: main"),
                "4:25: interface ppp0 of node main belongs to uplink \"ftth\" already (line 3); each uplink of a box has its own; is the node right?"
            ),
        ])
    func faulty(_ case: Faulty) {
        #expect(faults(of: `case`.text) == `case`.faults, "\(`case`.text)")
    }

    @Test(
        "what is hardly meant",
        arguments: [
            Faulty(
                site(nodes: ", x: {address: 192.168.1.3}"),
                "5:68: warning: node \"x\" has no uplink; with the address it would lead nowhere; give it one, or remove it",
                "5:72: warning: address 192.168.1.3 of node \"x\" is outside of 192.168.0.254/24; the boxes usually stand in the network of the address they share"
            ),
            Faulty(
                site(vrrp: ", preempt: false, preempt-delay: 5s"),
                "6:99: warning: preempt-delay has no effect with preempt: false; remove one of them"),
            Faulty(
                site(vrrp: ", backup: {forwarding: off}"),
                "6:92: warning: forwarding off has no effect; it is turned off for lan.interfaces, and there are none: name them"
            ),
            Faulty(site(vrrp: ", backup: {forwarding: off}", rest: "lan: {interfaces: [eth0]}\n")),
            Faulty(
                site().replacing(", key: site.key", with: ""),
                "6:1: warning: the words of the boxes are not signed: any host of the LAN can forge them; set vrrp.key, such as key: /etc/wanctl/site.key, see wanctl.yaml(5)"
            ),
            Faulty(
                site(rest: "lan: {interfaces: [eth2]}\n"),
                "6:24: warning: interface eth0 is not in lan.interfaces; hosts that have the virtual address as their gateway are not routed"
            ),
            Faulty(
                site(rest: "failover: {order: [{ftth: 3, soracom: 1}]}\n"),
                "7:12: warning: {ftth: 3, soracom: 1} cannot be shared: its uplinks are on \"main\" and \"sub\", and each box uses its own alone; the one that is written first comes first, as in a plain order; share between uplinks of one box"
            ),
            Faulty(
                site(
                    rest:
                        "rules:\n- {name: a, match: {source: 10.0.0.1}, order: [ftth]}\n- {name: b, match: {source: 10.0.0.2}, order: [[ftth, soracom]]}\n"
                ),
                "9:40: warning: [ftth, soracom] cannot be shared: its uplinks are on \"main\" and \"sub\", and each box uses its own alone; the one that is written first comes first, as in a plain order; share between uplinks of one box"
            ),
        ])
    func warnings(_ case: Faulty) throws {
        #expect(try read(`case`.text).warnings.map { String($0.description.dropFirst(2)) } == `case`.faults)
    }

    @Test("sixty-four uplinks on sixteen boxes have room at the default priority")
    func largest() throws {
        let nodes = (1...16).map { "  n\($0): {address: 10.0.0.\($0)}\n" }.joined()
        let uplinks = (0..<64).map { "  u\($0): {node: n\($0 % 16 + 1), interface: ppp\($0)}\n" }.joined()
        let found = try read(
            "version: 1\nuplinks:\n\(uplinks)nodes:\n\(nodes)vrrp: {instance: V, interface: eth0, router-id: 1, address: 10.0.0.254/24, key: k}\n"
        )
        #expect(found.warnings == [])
        let policy = found.policy
        #expect(policy.siteOrder.count == 64)
        #expect(NodeHealth.weight(base: policy.vrrp?.priority ?? 0, count: 64) == 2)
        for node in policy.nodes { #expect(try policy.part(of: node.name).uplinks.count == 4) }
    }
}
