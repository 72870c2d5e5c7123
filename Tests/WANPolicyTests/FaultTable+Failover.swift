let failoverFaults: [Faulty] = [
    Faulty(
        "version: 1\nuplinks:\n  ftth: {interface: ppp0}\n  jcom: {interface: wlan0}\nfailover: {order: [fttth, jcom]}\n",
        "5:20: unknown uplink \"fttth\"; did you mean \"ftth\"?"),
    Faulty(minimal("failover: {order: [lte]}\n"), "4:20: unknown uplink \"lte\"; known: a"),
    Faulty(
        minimal("failover: {order: [a, a]}\n"), "4:23: uplink \"a\" is named twice; it has its place at 4:20 already"),
    Faulty(
        minimal("failover: {order: [a, {a: 2}]}\n"),
        "4:24: uplink \"a\" is named twice; it has its place at 4:20 already"),
    Faulty(minimal("failover: {order: a}\n"), "4:19: order must be a list, such as [a]"),
    Faulty(minimal("failover: {order: [{a: 0}]}\n"), "4:24: weight of a 0 is out of range; it may be 1 to 100"),
    Faulty(minimal("failover: {order: [~]}\n"), "4:20: order has no value; give it one or remove it"),
    Faulty(minimal("failover: {hold: 25h}\n"), "4:18: hold 25h is too long; it may be 0s to 24h"),
    Faulty(minimal("failover: {drain: 5m}\n"), "4:19: drain must hold keys and values; not \"5m\""),
    Faulty(minimal("failover: {drain: {metred: 5m}}\n"), "4:20: unknown key \"metred\"; did you mean \"metered\"?"),
]

let laterFaults: [Faulty] = [
    Faulty(
        "version: 1\nuplinks:\n  a: {node: n1, interface: ppp0}\nnodes:\n"
            + (1...17).map { "  n\($0): {address: 10.0.0.\($0)}\n" }.joined(),
        "21:3: there are 17 nodes; at most 16 are allowed"),
    Faulty(
        minimal("nodes: {main: {address: 192.168.0.1}}\n"),
        "3:3: uplink \"a\" has no node; say which box has it: main"),
    Faulty(
        "version: 1\nnodes:\n  main: {address: 192.168.0.1}\n  sub: {address: 192.168.0.1}\n  x: {}\nuplinks:\n  a: {node: mian, interface: ppp0}\n",
        "4:18: address 192.168.0.1 belongs to node \"main\" already", "5:6: x is empty; give it a value or remove it",
        "7:13: unknown node \"mian\"; did you mean \"main\"?"),
    Faulty(
        minimal("vrrp: {instance: VI_1, interface: eth0, router-id: 256}\n"),
        "4:1: vrrp needs nodes; name the boxes that share the address", "4:1: vrrp has no address",
        "4:52: router-id 256 is out of range; it may be 1 to 255"),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: ppp0, node: m}\nnodes: {m: {address: 192.168.0.1}}\nvrrp: {instance: V, interface: eth0, router-id: 1, address: 192.168.0.254}\n",
        "5:61: address \"192.168.0.254\" is no address with its prefix length; write it like 192.168.0.254/24"),
    Faulty(
        minimal("rules:\n  - {name: x, match: {port: 80}, order: [a]}\n"),
        "5:23: a port needs its protocol; add protocol: tcp or udp"),
    Faulty(
        minimal("rules:\n  - {match: {dscp: 64}}\n"), "5:5: this rule has no name", "5:5: this rule has no order",
        "5:20: dscp 64 is out of range; it may be 0 to 63"),
    Faulty(
        minimal("rules:\n  - {name: x, match: {source: 10.0.0.1/8}, order: [b], otherwise: rejct}\n"),
        "5:31: source 10.0.0.1/8 has bits beyond its prefix; did you mean 10.0.0.0/8?",
        "5:52: unknown uplink \"b\"; known: a",
        "5:67: otherwise must be reject, default or drop, not \"rejct\"; did you mean \"reject\"?"),
    Faulty(
        minimal(
            "rules:\n  - {name: x, match: {protocol: tcp, port: 90-80}, order: [a]}\n  - {name: x, match: {source: home}, order: [a]}\n"
        ),
        "5:44: port \"90-80\" is no port; write 80, or 8000-8010; 1 to 65535",
        "6:12: rule \"x\" is there twice; the first is in line 5",
        "6:31: source \"home\" is no network; write it like 192.168.0.0/24"),
    Faulty(
        minimal("forwards:\n  - {uplinks: [a], protocol: tcp, port: 80, to: web}\n  - {uplinks: [a]}\n"),
        "5:49: to \"web\" is a host name; write its address: the daemon resolves no names, for DNS fails together with the line",
        "6:5: this forward has no protocol", "6:5: this forward has no port", "6:5: this forward has no to"),
    Faulty(
        minimal(
            "forwards:\n  - {uplinks: [a], protocol: tcp, port: 80-90, to: 10.0.0.1}\n  - {uplinks: [a], protocol: tcp, port: 85, to: 10.0.0.2:0}\n  - {uplinks: [a], protocol: tcp, port: 85, to: 10.0.0.2}\n  - {uplinks: [a, b], protocol: udp, port: 1-9, to: 10.0.0.2:65530}\n"
        ),
        "6:49: port \"0\" is no port; write 80, or 8000-8010; 1 to 65535",
        "7:5: this port is forwarded already (line 5); a port of an uplink leads to one host",
        "8:19: unknown uplink \"b\"; known: a", "8:53: 9 ports from 65530 end past 65535"),
    Faulty(
        minimal(
            "notify:\n  - mail: {to: root, from: a@b.c, server: localhost}\n  - webhook: {url: ftp://x}\n    mail: {}\n  - sms: {}\n"
        ),
        "5:16: to \"root\" is no mail address; write it like root@example.net",
        "5:43: server \"localhost\" is no URL that can be used; write smtp://… or smtps://…",
        "6:5: one entry tells one; begin a new one with `- webhook:`",
        "7:11: mail is empty; give it a value or remove it",
        "8:5: unknown key \"sms\"; known: mail, webhook"),
    Faulty(
        minimal("notify:\n  - webhook: {url: \"https://x\", on: [swich, down]}\n"),
        "5:38: on must be switch, down, up, degraded, speed, budget or role, not \"swich\"; did you mean \"switch\"?"),
]
