/// A policy whose one rule has this match, which begins in line 5, column 23.
private func match(_ match: String) -> String {
    minimal("rules:\n  - {name: x, match: {\(match)}, order: [a]}\n")
}

let rulesFaults: [Faulty] = [
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
        match("port: [80, 443], source-port: 5060"), "5:23: a port needs its protocol; add protocol: tcp or udp",
        "5:40: a source-port needs its protocol; add protocol: tcp or udp"),
    Faulty(
        match("protocol: icmp, port: 80"), "5:39: icmp has no ports; remove port, or write protocol: tcp or udp"),
    // One fault, not two: the protocol may have been one with ports.
    Faulty(
        match("protocol: tpc, port: 80"),
        "5:33: protocol must be tcp, udp, udplite, sctp, dccp, icmp, esp, ah, gre, ipip or igmp, not \"tpc\"; did you mean \"tcp\"?"
    ),
    Faulty(
        match("protocol: tcp, port: [80, 0, 1-70000, http]"),
        "5:49: port \"0\" is no port; write 80, or 8000-8010; 1 to 65535",
        "5:52: port \"1-70000\" is no port; write 80, or 8000-8010; 1 to 65535",
        "5:61: port \"http\" is no port; write 80, or 8000-8010; 1 to 65535"),
    Faulty(match("protocol: tcp, port: []"), "5:44: port is empty; give it a value or remove it"),
    Faulty(
        match("protocol: tcp, port: {a: 1}"),
        "5:44: port must be a port such as 80 or a range such as 8000-8010; not keys and values"),
    Faulty(
        match("source: [10.0.0.0/8, 10.0.0.1/8, 10.0.0.9-10.0.0.1, 10.0.0.1-10, lan]"),
        "5:44: source 10.0.0.1/8 has bits beyond its prefix; did you mean 10.0.0.0/8?",
        "5:56: source 10.0.0.9-10.0.0.1 begins behind its end; did you mean 10.0.0.1-10.0.0.9?",
        "5:75: source \"10.0.0.1-10\" is no range of addresses; write it like 192.168.0.10-192.168.0.20",
        "5:88: source \"lan\" is no network; write it like 192.168.0.0/24"),
    Faulty(match("source: []"), "5:31: source is empty; give it a value or remove it"),
    Faulty(match("source: ~"), "5:31: source has no value; give it one or remove it"),
    Faulty(
        match("source: [[10.0.0.1]]"), "5:32: source must be a network such as 192.168.0.0/24; not a list"),
    Faulty(
        match("source: [" + (0...4096).map { "10.0.\($0 / 256).\($0 % 256)" }.joined(separator: ", ") + "]"),
        "5:31: source has 4097 elements; at most 4096 are allowed"),
    Faulty(match("source: {fiel: a.txt}"), "5:32: unknown key \"fiel\"; did you mean \"file\"?"),
    Faulty(
        match("source: {file: \"a\\nb\"}"),
        "5:38: file \"a\\u{a}b\" is no file name; name a file beside the policy, such as hosts.txt"),
    Faulty(
        match("source: {file: a.txt}"),
        "5:38: cannot read \"a.txt\": there are no files here; file names count from the policy's directory"),
    Faulty(match("dscp: efx"), "5:29: dscp \"efx\" is no DSCP; did you mean \"ef\"?"),
    Faulty(match("dscp: EF"), "5:29: dscp \"EF\" is no DSCP; did you mean \"ef\"?"),
    Faulty(
        match("dscp: voice"), "5:29: dscp \"voice\" is no DSCP; write 0 to 63, or a name such as ef, af41 or cs1"),
    Faulty(match("fwmark: red"), "5:31: fwmark \"red\" is no mark; write it like 0x100, or 0x100/0xff00"),
    Faulty(match("fwmark: 1/2/3"), "5:31: fwmark \"1/2/3\" is no mark; write it like 0x100, or 0x100/0xff00"),
    Faulty(match("fwmark: -1"), "5:31: fwmark \"-1\" is no mark; write it like 0x100, or 0x100/0xff00"),
    Faulty(match("fwmark: 0x"), "5:31: fwmark \"0x\" is no mark; write it like 0x100, or 0x100/0xff00"),
    Faulty(
        match("fwmark: 0x100000000"), "5:31: fwmark \"0x100000000\" is no mark; write it like 0x100, or 0x100/0xff00"),
    Faulty(
        match("fwmark: 0x10000"),
        "5:31: fwmark 0x10000 touches our own bits, 0xff0000; match bits of others, or move ours by marks: {mask: …}"),
    Faulty(
        match("fwmark: 0x100/0xffffffff"),
        "5:31: fwmark 0x100/0xffffffff touches our own bits, 0xff0000; match bits of others, or move ours by marks: {mask: …}"
    ),
    Faulty(
        minimal("marks: {mask: 0xff00}\nrules: [{name: x, match: {fwmark: 0x100}, order: [a]}]\n"),
        "5:35: fwmark 0x100 touches our own bits, 0xff00; match bits of others, or move ours by marks: {mask: …}"),
    Faulty(match("fwmark: 0x0/0x0"), "5:31: fwmark 0x0/0x0 says nothing; its mask has no bit; remove it"),
    Faulty(
        match("fwmark: 0x300/0x100"), "5:31: fwmark 0x300/0x100 has bits beyond its mask; did you mean 0x100/0x100?"),
    Faulty(match("interface: lo"), "5:34: interface lo is the box itself"),
    Faulty(
        minimal("rules: [{name: x, match: {dscp: 1}, order: [a], sticky: 25h, drain: 25h, action: drop}]\n"),
        "4:57: sticky 25h is too long; it may be 1s to 24h", "4:69: drain 25h is too long; it may be 0s to 24h",
        "4:74: unknown key \"action\"; known: name, match, order, otherwise, sticky, drain"),
    Faulty(
        minimal("rules:\n" + (0...1000).map { "  - {name: r\($0), match: {dscp: 1}, order: [a]}\n" }.joined()),
        "5:3: rules has 1001 elements; at most 1000 are allowed"),
]

let forwardsFaults: [Faulty] = [
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
            "forwards:\n  - {uplinks: [a], protocol: tcp, port: 8000-9024, to: \"10.0.0.1:9000\"}\n  - {uplinks: [a], protocol: udp, port: 8000-9023, to: \"10.0.0.1:9000\"}\n  - {uplinks: [a], protocol: udp, port: 10000-65535, to: \"10.0.0.1:10000\"}\n"
        ),
        "5:56: 1025 ports from 8000 are led to others from 9000; at most 1024 may be; leave out :9000 to keep their numbers"
    ),
    Faulty(
        minimal("forwards: [{uplinks: [a], protocol: [tcp, udp], port: 80, to: 10.0.0.1}]\n"),
        "4:37: protocol must be tcp or udp; not a list"),
]
