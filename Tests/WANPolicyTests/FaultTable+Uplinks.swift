let probesFaults: [Faulty] = [
    Faulty(probe("intervall: 1s"), "5:7: unknown key \"intervall\"; did you mean \"interval\"?"),
    Faulty(probe("interval: 30"), "5:17: interval \"30\" has no unit; write 30s, or 30 with ms, s, m or h"),
    Faulty(probe("interval: 30sec"), "5:17: interval \"30sec\": unknown unit \"sec\"; units are ms, s, m or h"),
    Faulty(probe("interval: 1h30m"), "5:17: interval \"1h30m\": unknown unit \"h30m\"; units are ms, s, m or h"),
    Faulty(
        probe("interval: fast"), "5:17: interval \"fast\" is no duration; write a number and ms, s, m or h, such as 30s"
    ),
    Faulty(
        probe("interval: -1s"), "5:17: interval \"-1s\" is no duration; write a number and ms, s, m or h, such as 30s"),
    Faulty(
        probe("interval: .5s"), "5:17: interval \".5s\" is no duration; write a number and ms, s, m or h, such as 30s"),
    Faulty(probe("interval: 0s"), "5:17: interval 0s is too short; it may be 10ms to 1h"),
    Faulty(probe("interval: 9ms"), "5:17: interval 9ms is too short; it may be 10ms to 1h"),
    Faulty(probe("interval: 61m"), "5:17: interval 61m is too long; it may be 10ms to 1h"),
    Faulty(
        probe("interval: 99999999999999999999s"),
        "5:17: interval \"99999999999999999999s\" cannot be counted; it may be 10ms to 1h"),
    Faulty(probe("interval: 9999999999h"), "5:17: interval \"9999999999h\" cannot be counted; it may be 10ms to 1h"),
    Faulty(probe("interval: [1s]"), "5:17: interval must be a duration such as 30s; not a list"),
    Faulty(probe("interval:"), "5:16: interval has no value; give it one or remove it"),
    Faulty(probe("loss-interval: 2m"), "5:22: loss-interval 2m is too long; it may be 1ms to 1m"),
    Faulty(
        probe("loss-interval: atuo"),
        "5:22: loss-interval \"atuo\" is no duration; write a number and ms, s, m or h, such as 30s"),
    Faulty(
        probe("confirm: false"),
        "5:16: confirm must be auto, off or {rounds: 4, spacing: 50ms}, not \"false\"; write off"),
    Faulty(probe("confirm: 3"), "5:16: confirm must be auto, off or {rounds: 4, spacing: 50ms}, not \"3\""),
    Faulty(probe("confirm: {spacing: 50ms}"), "5:16: confirm has no rounds; write it like {rounds: 4, spacing: 50ms}"),
    Faulty(
        probe("confirm: {rounds: 0, spacing: 1ms}"), "5:25: rounds 0 is out of range; it may be 1 to 100",
        "5:37: spacing 1ms is too short; it may be 10ms to 10s"),
    Faulty(probe("patience: 2m"), "5:17: patience 2m is too long; it may be 0s to 1m"),
    Faulty(probe("quorum: 0"), "5:15: quorum 0 is out of range; it may be 1 to 16"),
    Faulty(probe("quorum: 4"), "5:15: quorum 4 can never be met; there are 3 targets"),
    Faulty(probe("quorum: 2\n      targets: [1.1.1.1]"), "5:15: quorum 2 can never be met; there is 1 target"),
    Faulty(probe("rise: 0"), "5:13: rise 0 is out of range; it may be 1 to 1000"),
    Faulty(probe("rise: 05"), "5:13: rise \"05\" is no whole number; it may be 1 to 1000"),
    Faulty(probe("rise: 1.5"), "5:13: rise \"1.5\" is no whole number; it may be 1 to 1000"),
    Faulty(probe("rise: 0x5"), "5:13: rise \"0x5\" is no whole number; it may be 1 to 1000"),
    Faulty(
        probe("fall: 99999999999999999999"),
        "5:13: fall \"99999999999999999999\" is no whole number; it may be 1 to 1000"),
    Faulty(probe("degraded: {window: 10s}"), "5:17: degraded has no limit; add loss, rtt or jitter"),
    Faulty(probe("degraded: {loss: 0.2}"), "5:24: loss \"0.2\" is no percentage; write a number and %, such as 20%"),
    Faulty(probe("degraded: {loss: 0%}"), "5:24: loss 0% is out of range; it may be more than 0% and up to 100%"),
    Faulty(probe("degraded: {loss: 101%}"), "5:24: loss 101% is out of range; it may be more than 0% and up to 100%"),
    Faulty(probe("degraded: {loss: \"%\"}"), "5:24: loss \"%\" is no percentage; write a number and %, such as 20%"),
    Faulty(probe("degraded: {loss: 1e1%}"), "5:24: loss \"1e1%\" is no percentage; write a number and %, such as 20%"),
    Faulty(
        probe("degraded: {loss: 5%, window: 2s}\n      interval: 5s"),
        "5:36: window 2s is shorter than interval 5s; it must hold some probes"),
]

let addressesFaults: [Faulty] = [
    Faulty(
        probe("targets: [dns.google]"),
        "5:17: targets \"dns.google\" is a host name; write its address: the daemon resolves no names, for DNS fails together with the line"
    ),
    Faulty(probe("targets: [8.8.8]"), "5:17: targets \"8.8.8\" is no address; write it like 192.0.2.1"),
    Faulty(probe("targets: [8.8.8.8/32]"), "5:17: targets \"8.8.8.8/32\" is no address; leave out the prefix length"),
    Faulty(probe("targets: [8.8.8.8, 8.8.8.8]"), "5:26: 8.8.8.8 is in targets twice; it was given in line 5 already"),
    Faulty(probe("targets: 8.8.8.8"), "5:16: targets must be a list, such as [8.8.8.8]"),
    Faulty(probe("targets: [0.0.0.0]"), "5:17: targets 0.0.0.0 means no host; write the address of one other host"),
    Faulty(
        probe("targets: [127.0.0.1]"), "5:17: targets 127.0.0.1 is the box itself; write the address of one other host"),
    Faulty(
        probe("targets: [224.0.0.1]"),
        "5:17: targets 224.0.0.1 is a multicast group; write the address of one other host"),
    Faulty(
        probe("targets: [255.255.255.255]"),
        "5:17: targets 255.255.255.255 is broadcast or reserved; write the address of one other host"),
    Faulty(
        probe("targets: [\"ff02::1\"]"),
        "5:17: targets ff02::1 is a multicast group; write the address of one other host"),
    Faulty(
        probe("targets: [" + (1...17).map { "192.0.2.\($0)" }.joined(separator: ", ") + "]"),
        "5:16: targets has 17 elements; at most 16 are allowed"),
    Faulty(
        uplink("gateway: router.local"),
        "4:14: gateway \"router.local\" is a host name; write its address: the daemon resolves no names, for DNS fails together with the line"
    ),
    Faulty(uplink("dns: 192.0.2.53"), "4:10: dns must be a list, such as [192.0.2.53]"),
    Faulty(
        uplink("dns: resolv.conf"),
        "4:10: dns \"resolv.conf\" is no path; write addresses like [192.0.2.53], or a file that your PPP or DHCP client keeps, like /etc/ppp/resolv.conf"
    ),
    Faulty(
        uplink("dns: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]"),
        "4:10: dns has 4 elements; at most 3 are allowed"),
    Faulty(
        uplink("dns: [192.0.2.1, 192.168.0.10]")
            + "forwards: [{uplinks: [a], protocol: tcp, port: 80, to: 192.168.0.10}]\n",
        "4:22: dns 192.168.0.10 is a host in the LAN that forwards lead to; a route over \"a\" would take it away from there; name the provider's own server"
    ),
    Faulty(
        "version: 1\nuplinks:\n  a: {interface: p, dns: [192.168.3.1]}\n  b: {interface: q, gateway: 192.168.3.1, dns: [192.168.3.1]}\n",
        "3:27: dns 192.168.3.1 is the gateway of uplink \"b\"; it belongs into the dns of that one"),
    Faulty(uplink("dns:"), "4:9: dns has no value; give it one or remove it"),
    Faulty(uplink("dns: [\"::1\"]"), "4:11: dns ::1 is the box itself; write the address of one other host"),
]

let simFaults: [Faulty] = [
    Faulty(
        soracom("standby: s1.minimum"),
        "5:7: the SORACOM API needs to know the SIM; add sim: or imsi:, or `via: [metadata]` where the metadata service is enough"
    ),
    Faulty(
        soracom("sim: \"8981100000000000000\"\n      imsi: \"440100000000000\""),
        "6:7: there is a sim already; keep one of sim and imsi"),
    Faulty(soracom("sim: 8981"), "5:12: sim \"8981\" cannot be right; it has 18 to 22 digits"),
    Faulty(soracom("imsi: 4401x0000000000"), "5:13: imsi \"4401x0000000000\" cannot be right; it has 14 to 15 digits"),
    Faulty(
        soracom("via: []"), "5:12: via is empty; give it a value or remove it"),
    Faulty(soracom("via: [metadata, metadata]"), "5:23: metadata is in via twice; remove one"),
    Faulty(
        soracom("via: [metadta]\n      imsi: \"440100000000000\""),
        "5:13: via must be metadata or api, not \"metadta\"; did you mean \"metadata\"?"),
    Faulty(
        soracom("standby: fast\n      via: [metadata]"),
        "5:16: standby \"fast\" is no speed class; write it like s1.minimum, s1.slow, s1.standard, s1.fast or s1.4xfast"
    ),
    Faulty(
        soracom("credentials: /etc/key\n      via: [metadata]"),
        "5:20: credentials \"/etc/key\" is no credential name; write its name without a directory"),
    Faulty(
        soracom("endpoint: api.soracom.io\n      via: [metadata]"),
        "5:17: endpoint \"api.soracom.io\" is no URL that can be used; write http://… or https://…"),
    Faulty(
        soracom("endpoint: https://api.soracom.io/v1\n      via: [metadata]"),
        "5:17: endpoint \"https://api.soracom.io/v1\" has the version in it; write https://api.soracom.io"),
    Faulty(
        soracom("endpoint: https://a:b@api.soracom.io\n      via: [metadata]"),
        "5:17: endpoint holds a user or password; secrets belong into the credentials file"),
    Faulty(
        soracom("metadata-endpoint: http://:80\n      via: [metadata]"),
        "5:26: metadata-endpoint \"http://:80\" names no host; write https://HOST or https://HOST:PORT"),
    Faulty(
        soracom("metadata-endpoint: http://1.2.3.4:99999\n      via: [metadata]"),
        "5:26: metadata-endpoint \"http://1.2.3.4:99999\" names no host; write https://HOST or https://HOST:PORT"),
    Faulty(
        soracom("metadata-endpoint: http://1.2.3.4?x=1\n      via: [metadata]"),
        "5:26: metadata-endpoint \"http://1.2.3.4?x=1\" has more than a path; leave out what follows ? or #"),
]
