import LinuxIO
import NetworkTypes
import Testing
import WANControl
import WANLab
import WANModel

@Suite("interfaces come, go and change", .enabled(if: Needs.root, Needs.advice))
struct InterfaceTests {
    @Test("a lost carrier moves traffic at once, and its return waits for the hold")
    func carrier() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.ftth, .carrierOff)
        try world.waitTraffic(of: client, on: .jcom)
        try world.waitState(.ftth, .absent)
        #expect(try world.uplink(.ftth).reason == "ppp0 has no carrier")
        try world.lab.setFault(.ftth, .carrierOn)
        try world.waitState(.ftth, .up)
        #expect(try world.status().selected == ["jcom"])
        try world.waitSelected(.ftth)
        let report = try client.stop()
        #expect(report.outages.count == 1, "\(report.outages) \(report.timeline)")
        #expect(report.longestOutageMilliseconds < 100)
        #expect(report.wrongSourceCount == 0)
    }

    @Test("a carrier that flaps costs its outages, and the line must hold longer each time")
    func carrierFlap() throws {
        let world = try World.running()
        for _ in 1...4 {
            try world.lab.setFault(.ftth, .carrierOff)
            try world.waitState(.ftth, .absent)
            #expect(try world.status().selected == ["jcom"])
            try world.lab.setFault(.ftth, .carrierOn)
            try world.waitState(.ftth, .up)
        }
        let ftth = try world.uplink(.ftth)
        #expect(ftth.flaps == 4)
        #expect(try #require(ftth.holdSpan) > .seconds(4))
        #expect(try world.switches().count == 1)
    }

    @Test("an interface that vanishes and returns with another index and address is the same line")
    func goneAndBack() throws {
        let world = try World.running()
        let before = try world.uplink(.ftth)
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.ftth, .gone)
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try world.uplink(.ftth).reason == "ppp0 does not exist")
        let address = IPv4Address(198, 51, 100, 77)
        try world.lab.setFault(.ftth, .back(address))
        try world.waitSelected(.ftth)
        try world.waitTraffic(of: client, on: .ftth)
        let after = try world.uplink(.ftth)
        #expect(after.ifindex != before.ifindex && after.addresses == ["\(address)"])
        let report = try client.stop()
        #expect(report.outages.count == 1 && report.longestOutageMilliseconds < 100, "\(report.outages)")
        #expect(report.wrongSourceCount == 0 && report.unknownSources == 0)
    }

    @Test(
        "another address on the same interface: old flows move to it by themselves", arguments: [LabUplink.ftth, .jcom])
    func renumbered(uplink: LabUplink) throws {
        let world = try World.running()
        if uplink == .jcom { #expect(try world.wanctl("failover", "jcom").succeeded) }
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: uplink)
        let address = uplink == .ftth ? IPv4Address(198, 51, 100, 78) : IPv4Address(192, 168, 3, 78)
        try world.lab.renumber(uplink, to: address)
        try world.wait("the new address is known and the line proven") {
            let now = try world.uplink(uplink)
            return now.addresses == ["\(address)"] && now.state == .up
        }
        try world.wait("the client is served") { try client.isAnswered(within: .milliseconds(20)) }
        let rules = try world.lab.mustRun(in: .router, ["ip", "rule"])
        #expect(rules.contains("from \(address) lookup"))
        #expect(!rules.contains("from \(uplink.address) lookup"))
        let report = try client.stop()
        #expect(report.longestOutageMilliseconds < 600)
        #expect(report.unknownSources == 0)
        let left = try world.flows(from: uplink.address)
        #expect(left.isEmpty, "\(left)")
    }

    @Test("two PPP links with the same peer address do not get in each other's way")
    func samePeer() throws {
        let world = try World(policy: Policies.threeLines())
        try world.lab.mustRun(
            in: .router, ["ip", "-batch", "-"],
            input: """
                addr flush dev ppp1
                addr add \(LabUplink.soracom.address) peer \(LabUplink.ftth.gateway) dev ppp1

                """)
        try world.startDaemon()
        try world.settle()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        for uplink in [LabUplink.soracom, .ftth, .soracom, .jcom] {
            #expect(try world.wanctl("failover", uplink.rawValue).succeeded)
            try world.waitTraffic(of: client, on: uplink)
        }
        let report = try client.stop()
        #expect(report.lost == 0 && report.wrongSourceCount == 0)
    }

    @Test("ppp0 and ppp1 made in the other order are still ftth and soracom")
    func otherOrder() throws {
        let world = try World.running()
        try world.lab.setFault(.ftth, .gone)
        try world.lab.setFault(.soracom, .gone)
        try world.waitSelected(.jcom)
        try world.lab.setFault(.soracom, .back())
        try world.lab.setFault(.ftth, .back())
        try world.waitSelected(.ftth)
        let (ftth, soracom) = (try world.uplink(.ftth), try world.uplink(.soracom))
        #expect(try #require(ftth.ifindex) > #require(soracom.ifindex))
        #expect(ftth.addresses == ["\(LabUplink.ftth.address)"])
        #expect(soracom.addresses == ["\(LabUplink.soracom.address)"])
    }

    @Test("an interface renamed away is absent, and named back it is there again")
    func renamed() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.mustRun(
            in: .router, ["ip", "-batch", "-"],
            input: "link set ppp0 down\nlink set ppp0 name away0\nlink set away0 up\n")
        try world.waitState(.ftth, .absent)
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.mustRun(
            in: .router, ["ip", "-batch", "-"],
            input: "link set away0 down\nlink set away0 name ppp0\nlink set ppp0 up\n")
        try world.waitSelected(.ftth)
        try world.waitTraffic(of: client, on: .ftth)
        let report = try client.stop()
        #expect(report.outages.count == 1 && report.longestOutageMilliseconds < 100, "\(report.outages)")
    }

    @Test("without `gateway:` the gateway is the one that DHCP's route names, and follows it")
    func gatewayFromDHCP() throws {
        let policy = Policies.threeLines().split(separator: "\n").filter { !$0.contains("gateway: ") }
            .joined(separator: "\n")
        let world = try World(policy: policy + "\n")
        try world.lab.mustRun(in: .jcom, ["ip", "addr", "add", "192.168.3.2/24", "dev", "lan0"])
        try world.startDaemon()
        try world.waitState(.ftth, .up)
        #expect(try world.uplink(.jcom).state == .absent)
        #expect(try world.uplink(.jcom).reason.contains("no gateway is known on wlan0"))
        let dhcp = "dev wlan0 proto dhcp metric 600".split(separator: " ").map(String.init)
        try world.lab.mustRun(in: .router, ["ip", "route", "add", "default", "via", "192.168.3.1"] + dhcp)
        try world.waitState(.jcom, .up)
        #expect(try world.uplink(.jcom).gateway == "192.168.3.1")
        try world.lab.mustRun(in: .router, ["ip", "route", "replace", "default", "via", "192.168.3.2"] + dhcp)
        try world.wait("the new gateway is in use") {
            let jcom = try world.uplink(.jcom)
            return jcom.gateway == "192.168.3.2" && jcom.state == .up
        }
        let table = try world.table(of: .jcom)
        #expect(table.contains("default via 192.168.3.2 dev wlan0"), "\(table)")
        #expect(try world.status().selected == ["ftth"])
    }
}
