import LinuxIO
import NetworkTypes
import Testing
import WANLab

extension LabTests {
    /// The clients with whom flows are watched, without a daemon: a plain router, whose operator is the test.
    @Suite("Its flows", .serialized)
    struct FlowClients {
        @Test("a download stalls in a silence, goes on, and is seen by its uplink")
        func download() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let download = try ClientDownload.start(in: lab)
            try eventually { try download.snapshot().octets > 100_000 }
            try lab.setFault(.ftth, .silence(.milliseconds(300)))
            try eventually { try download.snapshot().longestStall > 200 }
            let octets = try download.snapshot().octets
            try eventually { try download.snapshot().octets > octets + 100_000 }
            let report = try download.stop()
            #expect(report.brokenBy == nil)
            #expect(report.uplink == .ftth)
            #expect((250...1200).contains(report.longestStall), "\(report.longestStall) ms")
        }

        @Test("a download that nobody offers fails in words")
        func noDownload() throws {
            let lab = try Lab.build(.perfect)
            #expect(throws: LabError("download", "no octet within 0.2 seconds")) {
                try ClientDownload.start(in: lab, patience: .milliseconds(200))
            }
        }

        @Test("a reset is told, and the new connection goes by the new way")
        func reconnects() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let client = try ClientReconnector.start(in: lab)
            try eventually { try client.snapshot().echoed > 10 }
            #expect(try client.snapshot().uplink == .ftth)
            // As a router that moves flows does it: the entry is deleted, and its tuple answered with a reset. Masquerade itself
            // deletes the entry of a flow that leaves by another interface. To flush the table instead takes a moment on a busy
            // machine, and may delete the entry of the new connection as well, whose client then waits for seconds.
            try lab.resetUnknown(from: "\(LabAddress.client)", to: "\(LabAddress.content)")
            try lab.routePlainly(over: .jcom)
            try eventually { try client.snapshot().breaks.first?.recoveredAt != nil }
            let report = try client.stop()
            let first = try #require(report.breaks.first)
            #expect(first.by == .reset && first.from == .ftth && first.to == .jcom)
            #expect(first.attempts >= 1)
            let reconnect = try #require(first.reconnectMilliseconds)
            #expect((0..<1500).contains(reconnect), "\(first)")
            #expect(try #require(first.silenceMilliseconds) >= reconnect)
            #expect(report.uplink == .jcom && report.isConnected)
        }

        /// Its line stays alive here: a download whose line is dead sends nothing, and is told nothing before its server tries again.
        @Test("a download sends acknowledgements alone, and these are answered with the reset as well")
        func downloadIsTold() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let download = try ClientDownload.start(in: lab)
            try lab.resetAll(from: "\(LabAddress.client)", to: "\(LabAddress.content)")
            try eventually { try download.snapshot().brokenBy != nil }
            let end = try download.stop()
            #expect(end.brokenBy == .reset && end.brokenAt != nil)
        }

        @Test("a connection that is silent for too long is given up by its owner")
        func silence() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let client = try ClientReconnector.start(in: lab, patience: .milliseconds(300))
            try eventually { try client.snapshot().echoed > 3 }
            try lab.setFault(.ftth, .blackhole())
            try eventually { try client.snapshot().breaks.count == 1 }
            try lab.clearFaults()
            try eventually { try client.snapshot().breaks.first?.recoveredAt != nil }
            let report = try client.stop()
            #expect(report.breaks.map(\.by) == [.silence])
            #expect(report.longestStall >= 300)
        }

        @Test("a tunnel and a telephone come from their own ports, translated or not; a keepalive is one datagram")
        func fixedPorts() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .jcom)
            let tunnel = try ClientProber.start(in: lab, flow: .wireGuard, interval: .milliseconds(20))
            let telephone = try ClientProber.start(in: lab, flow: .sip, interval: .seconds(25))
            try eventually { try tunnel.snapshot().answered > 10 && telephone.snapshot().answered == 1 }
            let table = try lab.mustRun(in: .router, ["cat", "/proc/net/nf_conntrack"])
            #expect(table.contains("src=192.168.0.200 dst=192.0.2.10 sport=51820 dport=51820"), "\(table)")
            #expect(table.contains("src=192.168.0.200 dst=192.0.2.10 sport=5060 dport=5060"), "\(table)")
            try telephone.sendNow()
            let sip = try telephone.stop()
            #expect(sip.sent == 2 && sip.lost == 0 && sip.byUplink == [.jcom: 2])
            #expect(try tunnel.stop().lost == 0)
            // The port is free again for the program started anew.
            let again = try ClientProber.start(in: lab, flow: .wireGuard, interval: .milliseconds(20))
            try eventually { try again.snapshot().answered > 0 }
            _ = try again.stop()
        }

        @Test("a caller from outside reaches a LAN server by a forward, over each line", arguments: LabUplink.allCases)
        func inbound(uplink: LabUplink) throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: uplink)
            try lab.exposeRouterBehindJCOM()
            try lab.forwardPlainly(8080, from: uplink, to: Endpoint(LabAddress.client, 80))
            let server = try LabServer.start(in: lab, port: 80)
            let public8080 = Endpoint(uplink.publicAddress, 8080)
            let tcp = try InboundClient.start(in: lab, to: public8080, .tcp)
            let udp = try InboundClient.start(in: lab, to: public8080, .udp)
            try eventually { try tcp.snapshot().answered > 5 && udp.snapshot().answered > 5 }
            let reports = try [tcp.stop(), udp.stop()]
            for report in reports {
                #expect(report.seenAs.map(\.address) == [LabAddress.caller], "the source is left alone: \(report)")
                #expect(report.brokenBy == nil && report.strangers.isEmpty)
            }
            #expect(try server.sources().map(\.address) == [LabAddress.caller, LabAddress.caller])
            // Nobody listens on the next port, and the kernel says so.
            let nobody = try InboundClient.start(in: lab, to: Endpoint(uplink.publicAddress, 8081), .tcp)
            try eventually { try nobody.snapshot().brokenBy != nil }
            #expect(try nobody.stop().brokenBy == .refused)
        }

        @Test("a LAN host reaches a LAN server by the public address (hairpin), and is seen as the router")
        func hairpin() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            try lab.mustRun(
                in: .router, ["nft", "-f", "-"],
                input: """
                    table ip lab-hairpin {
                        chain forward {
                            type nat hook prerouting priority dstnat; policy accept;
                            ip daddr \(LabUplink.ftth.address) meta l4proto { tcp, udp } th dport 8080 dnat to \(LabAddress.client):80
                        }
                        chain back {
                            type nat hook postrouting priority srcnat; policy accept;
                            iifname "eth0" oifname "eth0" masquerade
                        }
                    }

                    """)
            let server = try LabServer.start(in: lab, port: 80)
            let source = try lab.addClientAddresses(1)[0]
            for transport in FlowTransport.allCases {
                let client = try InboundClient.start(
                    in: lab, at: .lan, from: Endpoint(source, 0), to: Endpoint(LabUplink.ftth.address, 8080), transport)
                try eventually { try client.snapshot().answered > 5 }
                let report = try client.stop()
                #expect(report.seenAs.map(\.address) == [LabAddress.router], "\(report)")
                #expect(report.strangers.isEmpty && report.brokenBy == nil)
            }
            server.stop()
        }

        @Test("a reply from another address is a stranger, not an answer")
        func stranger() throws {
            let lab = try Lab.build(.perfect)
            // The second address of the internet's host is answered for by the first, as a careless translation would.
            try lab.mustRun(
                in: .inet, ["nft", "-f", "-"],
                input: """
                    table ip stray {
                        chain out {
                            type filter hook output priority raw;
                            ip saddr \(LabAddress.content) udp sport 7 notrack ip saddr set \(LabAddress.targets[0])
                        }
                    }

                    """)
            try lab.routePlainly(over: .ftth)
            try lab.mustRun(in: .router, ["nft", "flush", "ruleset"])
            try lab.mustRun(in: .inet, ["nft", "flush", "chain", "inet", "lab", "check"])
            try lab.mustRun(in: .inet, ["ip", "route", "add", "192.168.0.0/24", "dev", "ftth0"])
            let client = try InboundClient.start(
                in: lab, at: .lan, to: Endpoint(LabAddress.content, 7), .udp)
            try eventually { try client.snapshot().strangers.count > 3 }
            let report = try client.stop()
            #expect(report.answered == 0)
            #expect(report.strangers.allSatisfy { $0 == Endpoint(LabAddress.targets[0], 7) })
        }

        @Test("the guest network and the LAN reach each other through the router, and the internet behind it")
        func guests() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let server = try LabServer.start(in: lab, at: .guest, [Endpoint(LabAddress.guest, 445)])
            let clients = try FlowTransport.allCases.map {
                try InboundClient.start(in: lab, at: .lan, to: Endpoint(LabAddress.guest, 445), $0)
            }
            let out = try InboundClient.start(in: lab, at: .guest, to: Endpoint(LabAddress.content, 1007), .tcp)
            try eventually { try (clients + [out]).allSatisfy { try $0.snapshot().answered > 3 } }
            for client in clients {
                let report = try client.stop()
                #expect(report.seenAs.map(\.address) == [LabAddress.client], "nobody translated: \(report)")
                #expect(report.brokenBy == nil)
            }
            #expect(try out.stop().seenAs.map(\.address) == [LabUplink.ftth.address])
            #expect(try server.sources().count == 2)
        }

        @Test("a flow that is tried once is answered, refused in one of several ways, or swallowed")
        func trials() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .jcom)
            let source = Endpoint(try lab.addClientAddresses(1)[0], 0)
            for transport in FlowTransport.allCases {
                guard case .answered(let uplink, let seen) = try FlowTrial(transport, from: source).run(in: lab) else {
                    Issue.record("\(transport) is not answered")
                    continue
                }
                #expect(uplink == .jcom && seen.address == LabUplink.jcom.publicAddress)
            }
            let nobody = Endpoint(LabAddress.content, 9)
            #expect(try FlowTrial(.tcp, to: nobody).run(in: lab) == .refused(.refused))
            #expect(try FlowTrial(.udp, to: nobody).run(in: lab) == .refused(.refused))
            try lab.mustRun(
                in: .router, ["nft", "-f", "-"],
                input: """
                    table ip lab-rules {
                        chain forward {
                            type filter hook forward priority filter; policy accept;
                            ip dscp 46 meta l4proto tcp reject with tcp reset
                            ip dscp 46 reject with icmp admin-prohibited
                            ip saddr \(source.address) drop
                        }
                    }

                    """)
            #expect(try FlowTrial(.tcp, dscp: 46).run(in: lab) == .refused(.refused))
            #expect(try FlowTrial(.udp, dscp: 46).run(in: lab) == .refused(.unreachable))
            #expect(try FlowTrial(.udp, from: source).run(in: lab, patience: .milliseconds(100)) == .silent)
            #expect(try FlowTrial(.tcp, from: source).run(in: lab, patience: .milliseconds(100)) == .silent)
            let elsewhere = Endpoint(LabAddress.targets[0], 53)
            let server = try LabServer.start(in: lab, at: .inet, [elsewhere])
            guard case .answered(.jcom, _) = try FlowTrial(.udp, to: elsewhere).run(in: lab) else {
                Issue.record("a server at a target's address is not reached")
                return
            }
            server.stop()
        }

        @Test("ten thousand flows from a LAN full of hosts, each by its own tuple, and which of them moved")
        func crowd() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let sources = try lab.addClientAddresses(200)
            let crowd = try FlowCrowd.open(10_000, in: lab, sources: sources)
            let first = try crowd.send()
            #expect(first.flows == 10_000)
            #expect(first.answered == 10_000 && first.byUplink == [.ftth: 10_000])
            #expect(first.movedCount == 0 && first.silent == 0)
            #expect(first.bySource.count == 200 && first.bySource.values.allSatisfy { $0 == [.ftth: 50] })
            let entries = try lab.mustRun(in: .router, ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"])
            #expect((Int(entries.dropLast()) ?? 0) >= 10_000)
            // The kernel drops the entry of a masqueraded flow that would leave by another interface (nf_nat_oif_changed),
            // with that packet; the next one is a new flow.
            try lab.routePlainly(over: .jcom)
            _ = try crowd.send(patience: .milliseconds(5))
            let second = try crowd.send()
            #expect(second.moved == [CrowdMove(from: .ftth, to: .jcom): second.movedCount])
            #expect(second.movedCount > 9_000, "\(second)")
            try crowd.close()
        }

        @Test("a crowd of TCP flows tells the broken from the silent")
        func connections() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .soracom)
            let crowd = try FlowCrowd.open(200, .tcp, in: lab)
            let first = try crowd.send()
            #expect(first.byUplink == [.soracom: 200] && first.brokenCount == 0)
            try lab.setFault(.soracom, .blackhole())
            let silent = try crowd.send(patience: .milliseconds(50))
            #expect(silent.answered == 0 && silent.silent == 200)
            try lab.clearFaults()
            try lab.resetUnknown(from: "\(LabAddress.client)", to: "\(LabAddress.content)")
            try lab.mustRun(in: .router, ["conntrack", "-F"])
            try eventually { try crowd.send(patience: .milliseconds(50)).brokenCount == 200 }
            #expect(try crowd.send().broken == [.reset: 200])
            try crowd.close()
        }

        @Test("an outage of 200 ms is one of 200 ms, and a line flaps by the clock")
        func timetable() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let prober = try ClientProber.start(in: lab)
            try eventually { try prober.isAnswered(within: .milliseconds(10)) }
            try lab.blackHole(.ftth, for: .milliseconds(200))
            try eventually { try prober.isAnswered(within: .milliseconds(10)) }
            let moments = try FaultTimetable.start(
                FaultTimetable.Step.flapping(
                    .ftth, times: 2, down: .milliseconds(100), up: .milliseconds(100)), in: lab
            ).finish()
            #expect(moments.count == 4 && moments == moments.sorted())
            #expect((295...350).contains((moments[3] - moments[0]) / 1_000_000), "\(moments)")
            try eventually { try prober.isAnswered(within: .milliseconds(10)) }
            let lengths = try prober.stop().outages.map(\.milliseconds)
            #expect(lengths.count == 3, "\(lengths)")
            #expect(lengths.first.map { (195...240).contains($0) } == true, "\(lengths)")
            #expect(lengths.dropFirst().allSatisfy { (95...140).contains($0) }, "\(lengths)")
        }

        @Test("a fault that cannot be made ends the timetable in words")
        func timetableFails() throws {
            let lab = try Lab.build(.perfect)
            let steps = [
                FaultTimetable.Step(at: .zero, .ftth, .set(.gone)),
                FaultTimetable.Step(at: .milliseconds(1), .ftth, .set(.carrierOff)),
            ]
            let timetable = try FaultTimetable.start(steps, in: lab)
            #expect(throws: LabError.self) { try timetable.finish() }
        }
    }
}

extension Lab {
    /// What the daemon's ruleset does with torn flows: TCP between two addresses whose entry is gone is reset, a new connection is not.
    fileprivate func resetUnknown(from source: String, to destination: String) throws {
        // What is in the middle of a connection that conntrack does not know begins none.
        try writeSettings(["net/netfilter/nf_conntrack_tcp_loose": "0"], in: .router)
        try resetAll(from: source, to: destination, where: "ct state != established")
    }

    /// Answers each segment between two addresses with a reset that opens no connection and meets the condition.
    fileprivate func resetAll(from source: String, to destination: String, where condition: String = "") throws {
        try mustRun(
            in: .router, ["nft", "-f", "-"],
            input: """
                table ip lab-torn
                delete table ip lab-torn
                table ip lab-torn {
                    chain forward {
                        type filter hook forward priority filter - 1; policy accept;
                        ip saddr \(source) ip daddr \(destination) tcp flags & (syn | rst) == 0 \(condition) reject with tcp reset
                    }
                }

                """)
    }

    /// A forward as one types it.
    fileprivate func forwardPlainly(_ port: UInt16, from uplink: LabUplink, to host: Endpoint) throws {
        try mustRun(
            in: .router, ["nft", "-f", "-"],
            input: """
                table ip lab-forward {
                    chain translate {
                        type nat hook prerouting priority dstnat; policy accept;
                        iifname "\(uplink.interface)" meta l4proto { tcp, udp } th dport \(port) dnat to \(host)
                    }
                }

                """)
    }
}
