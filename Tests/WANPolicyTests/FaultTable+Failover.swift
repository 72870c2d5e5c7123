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
    Faulty(minimal("failover: {grace: 61s}\n"), "4:19: grace 61s is too long; it may be 0s to 1m"),
    Faulty(minimal("failover: {own-sockets: kill}\n"), "4:25: own-sockets must be close or leave, not \"kill\""),
    Faulty(
        minimal("failover: {sticky: 500ms}\n"), "4:20: sticky 500ms is too short; it may be 1s to 24h"),
    Faulty(minimal("failover: {drain: {idle: 2h}}\n"), "4:26: idle 2h is too long; it may be 0s to 1h"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: 50}}\n"),
        "4:35: metered-bytes \"50\" has no unit; write 50MB, or 50 with B, kB, MB, GB, or KiB, MiB, GiB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: 50mb}}\n"),
        "4:35: metered-bytes \"50mb\": unknown unit \"mb\"; units are B, kB, MB, GB, or KiB, MiB, GiB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: much}}\n"),
        "4:35: metered-bytes \"much\" is no size; write a number and its unit, such as 50MB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: 999B}}\n"),
        "4:35: metered-bytes 999B is too small; it may be 1kB to 1TB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: 2TB}}\n"),
        "4:35: metered-bytes 2TB is too large; it may be 1kB to 1TB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: 99999999999999999999B}}\n"),
        "4:35: metered-bytes \"99999999999999999999B\" cannot be counted; it may be 1kB to 1TB"),
    Faulty(
        minimal("failover: {drain: {metered-bytes: [1MB]}}\n"),
        "4:35: metered-bytes must be a size such as 50MB; not a list"),
]

/// What is said of nodes without the address that they share, after its position.
private let needsVRRP =
    "nodes needs vrrp; say which address they share, such as vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24}"

let laterFaults: [Faulty] = [
    Faulty(
        "version: 1\nuplinks:\n  a: {node: n1, interface: ppp0}\nnodes:\n"
            + (1...17).map { "  n\($0): {address: 10.0.0.\($0)}\n" }.joined(),
        "4:1: \(needsVRRP)", "21:3: there are 17 nodes; at most 16 are allowed"),
    Faulty(
        minimal("nodes: {main: {address: 192.168.0.1}}\n"),
        "3:3: uplink \"a\" has no node; say which box has it: main", "4:1: \(needsVRRP)"),
    Faulty(
        "version: 1\nnodes:\n  main: {address: 192.168.0.1}\n  sub: {address: 192.168.0.1}\n  x: {}\nuplinks:\n  a: {node: mian, interface: ppp0}\n",
        "2:1: \(needsVRRP)", "4:18: address 192.168.0.1 belongs to node \"main\" already",
        "5:6: x is empty; give it a value or remove it",
        "7:13: unknown node \"mian\"; did you mean \"main\"?"),
    Faulty(
        minimal("vrrp: {instance: VI_1, interface: eth0, router-id: 256}\n"),
        "4:1: vrrp needs nodes; name the boxes that share the address", "4:1: vrrp has no address",
        "4:52: router-id 256 is out of range; it may be 1 to 255"),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: ppp0, node: m}\nnodes: {m: {address: 192.168.0.1}}\nvrrp: {instance: V, interface: eth0, router-id: 1, address: 192.168.0.254}\n",
        "5:61: address \"192.168.0.254\" is no address with its prefix length; write it like 192.168.0.254/24"),
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
