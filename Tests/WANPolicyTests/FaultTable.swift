let wholeFileFaults: [Faulty] = [
    Faulty("", "1:1: the file is empty"),
    Faulty("# nothing\n", "1:1: the file is empty"),
    Faulty("~", "1:1: the policy has no value; give it one or remove it"),
    Faulty("hello", "1:1: the policy must hold keys and values; not \"hello\""),
    Faulty("[1, 2]", "1:1: the policy must hold keys and values; not a list"),
    Faulty("{}", "1:1: the policy is empty; give it a value or remove it"),
    Faulty(
        "site: home\n", "1:1: version is missing; begin the file with `version: 1`",
        "1:1: uplinks is missing; name the ways out, such as uplinks: {ftth: {interface: ppp0}}"),
    Faulty(
        "version: 2\nuplinks:\n  a: {interface: ppp0}\n",
        "1:10: version \"2\" is unknown; this release reads version 1"),
    Faulty(
        minimal("falover: {}\nzzz: 1\n"), "4:1: unknown key \"falover\"; did you mean \"failover\"?",
        "5:1: unknown key \"zzz\"; known: version, site, lan, marks, nodes, vrrp, uplinks, failover, rules, forwards, notify"
    ),
    Faulty(minimal("lan:\n"), "4:5: lan has no value; give it one or remove it"),
    Faulty(minimal("lan: eth0\n"), "4:6: lan must hold keys and values; not \"eth0\""),
    Faulty(minimal("lan: {interfaces: eth0}\n"), "4:19: interfaces must be a list, such as [eth0]"),
    Faulty(minimal("lan: {interfaces: []}\n"), "4:19: interfaces is empty; give it a value or remove it"),
    Faulty(minimal("lan: {interfaces: [eth0, eth0]}\n"), "4:26: interface eth0 is in lan.interfaces twice; remove one"),
    Faulty(minimal("lan: {interfaces: [lo]}\n"), "4:20: interface lo is the box itself"),
    Faulty(
        minimal("lan: {interfaces: [eth0, all]}\n"),
        "4:26: all is no interface: sysctl calls all of them so; name each interface; see `ip -br link`"),
    Faulty(
        minimal("lan: {interfaces: [default]}\n"),
        "4:20: default is no interface: sysctl calls those to come so; name each interface; see `ip -br link`"),
    Faulty(
        minimal("lan: {interfaces: [{}]}\n"),
        "4:20: interfaces must be the name of a network interface; not keys and values"),
    Faulty(
        minimal("lan: {forwarding: onn}\n"), "4:19: forwarding must be on or leave, not \"onn\"; did you mean \"on\"?"),
    Faulty(
        minimal("lan: {forwarding: off}\n"),
        "4:19: forwarding must be on or leave, not \"off\"; write leave to keep hands off it"),
    Faulty(
        minimal("site: \"a\\nb\"\n"),
        "4:7: site \"a\\u{a}b\" cannot be used; write 1 to 60 characters without quotes, backslashes and control characters"
    ),
    Faulty(minimal("marks: {}\n"), "4:8: marks is empty; give it a value or remove it"),
    Faulty(
        minimal("marks: {mask: 0x5500}\n"),
        "4:15: mask 0x5500 cannot hold the marks; at least 8 bits side by side, for 64 uplinks and what is to be refused"
    ),
    Faulty(
        minimal("marks: {mask: 0x3f}\n"),
        "4:15: mask 0x3f cannot hold the marks; at least 8 bits side by side, for 64 uplinks and what is to be refused"),
    Faulty(minimal("marks: {mask: red}\n"), "4:15: mask \"red\" is no whole number; write it like 0x00ff0000"),
    Faulty(
        minimal("marks: {mask: 0x1ff000000}\n"), "4:15: mask 0x1ff000000 is out of range; it may be 0x1 to 0xffffffff"),
]

let yamlFaults: [Faulty] = [
    Faulty(
        "version: 1\nuplinks:\n\ta: {}\n",
        "3:1: this is not YAML: found character that cannot start any token while scanning for the next token; indent with spaces, a tab is not allowed here"
    ),
    Faulty(
        "version: 1\nlan: [eth0\nuplinks: {}\n",
        "3:8: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence that begins in line 2"),
    Faulty(
        "version: \"1\n",
        "2:1: this is not YAML: found unexpected end of stream while scanning a quoted scalar that begins in line 1"),
    Faulty(minimal("site: a\nsite: b\n"), "5:1: key \"site\" is there twice; it was given in line 4 already"),
    Faulty(
        minimal("  a: {interface: ppp1}\n"), "4:3: key \"a\" is there twice; it was given in line 3 already"),
    Faulty(minimal("---\nversion: 1\n"), "4:1: a second document begins here; a file holds one"),
    Faulty(
        minimal("site: &x home\nlan: {interfaces: [*x]}\n"),
        "4:7: an anchor (&) is not allowed here; write the value out where it is used",
        "5:20: an alias (*) is not allowed here; write the value out"),
    Faulty(minimal("site: !!str home\n"), "4:7: a tag (!) is not allowed here; write the plain value"),
    Faulty("%YAML 1.2\n---\n" + minimal(), "1:1: a directive (%) is not allowed here; remove the line"),
    Faulty("\u{feff}%YAML 1.2\n---\n" + minimal(), "1:1: a directive (%) is not allowed here; remove the line"),
    Faulty(minimal("[a, b]: 1\n"), "4:1: this key is not text; a key is one word"),
    Faulty(minimal("site: \"a\0b\"\n"), "4:9: there is a NUL byte; the file must be UTF-8 text"),
    Faulty(minimal("site: é\u{1}\n"), "4:8: control characters are not allowed"),
    Faulty(
        minimal("<<: {site: x}\n"),
        "4:1: unknown key \"<<\"; known: version, site, lan, marks, nodes, vrrp, uplinks, failover, rules, forwards, notify"
    ),
]

let uplinksFaults: [Faulty] = [
    Faulty("version: 1\nuplinks: {}\n", "2:10: uplinks is empty; give it a value or remove it"),
    Faulty("version: 1\nuplinks: [a]\n", "2:10: uplinks must hold keys and values; not a list"),
    Faulty("version: 1\nuplinks:\n  a:\n", "3:5: a has no value; give it one or remove it"),
    Faulty(
        "version: 1\nuplinks:\n  a: {metered: true, keepalive: off}\n",
        "3:3: uplink \"a\" has no interface; add one, such as interface: ppp0"),
    Faulty(
        "version: 1\nuplinks:\n  Fibre: {interface: ppp0}\n",
        "3:3: uplink name \"Fibre\" cannot be used; a small letter, then at most 14 of a-z 0-9 _ -"),
    Faulty(
        "version: 1\nuplinks:\n  a234567890123456: {interface: ppp0}\n",
        "3:3: uplink name \"a234567890123456\" cannot be used; a small letter, then at most 14 of a-z 0-9 _ -"),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: enp0s31f6.10000x}\n",
        "3:18: interface name \"enp0s31f6.10000x\" has 16 bytes; Linux allows 15; see `ip -br link`"),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: \"ppp0; drop\"}\n",
        "3:18: \"ppp0; drop\" is no interface name; letters, digits, and . _ - are taken; see `ip -br link`"),
    Faulty("version: 1\nuplinks:\n  a: {interface: lo}\n", "3:18: interface lo is the box itself"),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: ppp0}\n  b: {interface: ppp0}\n",
        "4:7: interface ppp0 belongs to uplink \"a\" already (line 3); each uplink has its own"),
    Faulty(
        minimal("lan: {interfaces: [ppp0]}\n"),
        "3:7: interface ppp0 is in lan.interfaces too; it leads either to the LAN or out; a VLAN makes two of one"),
    Faulty(uplink("metered: yes\n    keepalive: off"), "4:14: metered must be true or false, not \"yes\"; write true"),
    Faulty(uplink("metered: maybe\n    keepalive: off"), "4:14: metered must be true or false, not \"maybe\""),
    Faulty(uplink("intervall: 1s"), "4:5: unknown key \"intervall\"; did you mean \"interface\"?"),
    Faulty(uplink("getaway: 192.0.2.1"), "4:5: unknown key \"getaway\"; did you mean \"gateway\"?"),
    Faulty(uplink("node: main"), "4:11: node \"main\" is not declared; add nodes: with its address, or remove this"),
    Faulty(
        uplink("keepalive: {idle: 25m}"),
        "4:16: keepalive has no target; add an address that answers echo over this uplink"),
    Faulty(uplink("keepalive: {idle: 0s, target: 1.1.1.1}"), "4:23: idle 0s is too short; it may be 1s to 24h"),
    Faulty(uplink("keepalive: on"), "4:16: keepalive must hold keys and values; not \"on\""),
    Faulty(
        "version: 1\nuplinks:\n" + (1...65).map { "  u\($0): {interface: eth\($0)}\n" }.joined(),
        "67:3: there are 65 uplinks; at most 64 are allowed"),
]
