import TestSupport
import Testing
import WANControl
import WANDaemon
import WANModel

@Suite("the role of a box, by facts and time alone")
struct SiteRoleTests {
    // MARK: roles

    @Test("at start who has the address is master, who has not is backup, and nothing is awaited")
    func start() {
        var master = RoleWorld(hasAddress: true)
        #expect(
            master.news() == [
                .steer, .forwarding(isOff: false), .role(.master, isFirst: true), .health(4),
            ])
        #expect(master.role.reason == "192.168.0.254 was on this box at start")
        var backup = RoleWorld()
        #expect(backup.news().contains(.role(.backup, isFirst: true)) && backup.hellos == 1)
        #expect(backup.role.reason == "192.168.0.254 was not on this box at start")
    }

    @Test(
        "the address comes and goes: strays before forwarding before the role; the reason has keepalived's word only where it fits"
    )
    func comesAndGoes() {
        var world = RoleWorld { $0.backupForwarding = .off }
        world.pass(.seconds(3))
        _ = world.news()
        world.handle(.notice(VRRPNotice(subject: .instance, name: "VI_LAN", event: .master, priority: 200)))
        world.handle(.address(isHere: true))
        #expect(
            world.news() == [.awaitStrays, .forwarding(isOff: false), .role(.master, isFirst: false)])
        #expect(world.role.reason == "192.168.0.254 came to this box (keepalived said MASTER)")
        // The notice is an old one now.
        world.handle(.address(isHere: false))
        #expect(world.role.reason == "192.168.0.254 left this box")
        #expect(world.news() == [.awaitStrays, .role(.backup, isFirst: false)])
        // Hosts that have not heard of it yet are served for two seconds.
        world.pass(.milliseconds(1999))
        #expect(world.news() == [])
        world.pass(.milliseconds(1))
        #expect(world.news() == [.forwarding(isOff: true)])
    }

    @Test("a hello a second, and at once where role or health are others")
    func hellos() {
        var world = RoleWorld()
        world.pass(.seconds(10))
        #expect(world.hellos == 11)
        world.pass(.milliseconds(400))
        world.fitness(1)
        #expect(world.hellos == 12)
        world.handle(.address(isHere: true))
        #expect(world.hellos == 13)
        world.fitness(1)
        #expect(world.hellos == 13)
        world.pass(.milliseconds(999))
        #expect(world.hellos == 13)
    }

    @Test("a reload with another address takes the role that follows from it, and believes what keepalived was told")
    func reload() {
        var world = RoleWorld(hasAddress: true)
        world.pass(.seconds(60))
        _ = world.news()
        world.handle(
            .policy(
                RoleWorld.settings { $0.address = RoleWorld.prefix(253) }, hasAddress: false,
                SiteRole.Fitness(health: 4)))
        #expect(world.news().contains(.role(.backup, isFirst: false)))
        // Its uplink is proven anew: the file goes on saying 4 meanwhile.
        world.handle(.fitness(SiteRole.Fitness(health: 0, isProving: true)))
        #expect(world.healths == [])
        world.pass(.seconds(3))
        #expect(world.healths == [0])
    }

    // MARK: health

    @Test("a daemon that starts again says nothing worse than the file for three seconds while it proves its lines")
    func patience() {
        var world = RoleWorld(found: 4, hasAddress: true, health: 0, isProving: true)
        #expect(world.healths == [])
        world.pass(.milliseconds(2999))
        #expect(world.healths == [])
        world.pass(.milliseconds(1))
        #expect(world.healths == [0])
        // What is good is said at once, and a line that is known to be bad, too.
        #expect(RoleWorld(found: 4, health: 4, isProving: true).healths == [4])
        #expect(RoleWorld(found: 4, health: 0).healths == [0])
        // Without an earlier run a start says nothing worse than "held".
        #expect(RoleWorld(health: 1, isProving: true).healths == [1])
        #expect(RoleWorld(health: 0, isProving: true).healths == [])
    }

    @Test("what an earlier run said is trusted for as long as a hold, and no longer")
    func trust() {
        var world = RoleWorld(found: 4)
        world.handle(.fitness(SiteRole.Fitness(health: 1, trusted: 4)))
        #expect(world.healths == [4])
        world.pass(.milliseconds(29_999))
        #expect(world.healths == [4])
        world.pass(.milliseconds(1))
        #expect(world.healths == [4, 1])
        // A box that was not good is not trusted.
        var other = RoleWorld(found: 1, health: 1)
        other.handle(.fitness(SiteRole.Fitness(health: 1, trusted: 4)))
        #expect(other.healths == [1])
    }

    @Test("a box that translates nothing is worth nothing at once; one that cannot be relied on is held")
    func faults() {
        var world = RoleWorld(found: 4, health: 4)
        world.fitness(4, isUntranslated: true)
        #expect(world.healths == [4, 0])
        world.fitness(4, isUnreliable: true)
        #expect(world.healths == [4, 0, 1])
        world.fitness(0, isUnreliable: true)
        #expect(world.healths == [4, 0, 1, 0])
    }

    @Test("every look puts file and forwarding back, whatever they were")
    func look() {
        var world = RoleWorld(hasAddress: true)
        _ = world.news()
        world.handle(.look)
        #expect(world.news() == [.health(4), .forwarding(isOff: false)])
    }

    // MARK: yielding

    @Test(
        "a master that falls yields where another is good, until keepalived is in FAULT and a second more, at most three"
    )
    func yields() {
        var world = RoleWorld(hasAddress: true)
        world.hear("sub", .backup, health: 3)
        world.fitness(0)
        #expect(world.healths == [4, NodeHealth.yield])
        world.pass(.milliseconds(200), hearing: [("sub", .backup, 3)])
        world.handle(.notice(VRRPNotice(subject: .instance, name: "VI_LAN", event: .fault, priority: 0)))
        world.handle(.address(isHere: false))
        world.pass(.milliseconds(999), hearing: [("sub", .master, 3)])
        #expect(world.healths == [4, NodeHealth.yield])
        world.pass(.milliseconds(1), hearing: [("sub", .master, 3)])
        #expect(world.healths == [4, NodeHealth.yield, 0])
        // Where keepalived says nothing it ends by itself.
        var silent = RoleWorld(hasAddress: true)
        silent.hear("sub", .backup, health: 3)
        silent.fitness(1)
        silent.pass(.milliseconds(2999), hearing: [("sub", .backup, 3)])
        #expect(silent.healths == [4, NodeHealth.yield])
        silent.pass(.milliseconds(1), hearing: [("sub", .backup, 3)])
        #expect(silent.healths == [4, NodeHealth.yield, 1])
    }

    @Test("nobody good, nobody heard, or not master: the plain truth")
    func yieldsNot() {
        var alone = RoleWorld(hasAddress: true)
        alone.fitness(0)
        #expect(alone.healths == [4, 0])
        var worse = RoleWorld(hasAddress: true)
        worse.hear("sub", .backup, health: NodeHealth.held)
        worse.fitness(0)
        #expect(worse.healths == [4, 0])
        var backup = RoleWorld()
        backup.hear("sub", .master, health: 3)
        backup.fitness(0)
        #expect(backup.healths == [4, 0])
        // A hello that is older than three seconds is none.
        var old = RoleWorld(hasAddress: true)
        old.hear("sub", .backup, health: 3)
        old.pass(.milliseconds(3001))
        old.fitness(0)
        #expect(old.healths == [4, 0])
    }

    @Test(
        "without preemption it yields in hope where nobody is heard, and again when somebody comes to be better, after ten seconds"
    )
    func yieldsWithoutPreemption() {
        var world = RoleWorld(hasAddress: true) { $0.preempts = false }
        world.fitness(0)
        #expect(world.healths == [4, NodeHealth.yield])
        world.pass(.seconds(3))
        #expect(world.healths == [4, NodeHealth.yield, 0])
        world.hear("sub", .backup, health: 3)
        #expect(world.healths == [4, NodeHealth.yield, 0], "it has just tried")
        world.pass(.milliseconds(7001), hearing: [("sub", .backup, 3)])
        world.hear("sub", .backup, health: 3)
        #expect(world.healths == [4, NodeHealth.yield, 0, NodeHealth.yield])
    }

    @Test("a box that gets the address with a held line keeps it: the line carries the traffic from now on")
    func keepsWhatItGot() {
        var world = RoleWorld(health: NodeHealth.held) { $0.preempts = false }
        world.health = { $0 == .master ? 4 : NodeHealth.held }
        world.hear("sub", .master, health: 3)
        world.handle(.address(isHere: true))
        #expect(world.healths == [NodeHealth.held, 4])
        #expect(world.role.role == .master)
    }

    // MARK: keepalived is gone

    @Test("keepalived that is missing for three seconds is told of, by what it means here; one that restarts is not")
    func keepalivedIsGone() {
        var world = RoleWorld()
        world.handle(.keepalived(isThere: true))
        world.handle(.keepalived(isThere: false))
        world.pass(.milliseconds(2999))
        world.handle(.keepalived(isThere: true))
        #expect(!world.news().contains { if case .alarm = $0 { true } else { false } })
        world.handle(.keepalived(isThere: false))
        world.pass(.seconds(3))
        let text =
            "keepalived does not run here, or not with /run/wanctl/vrrp.fifo: this box will not get 192.168.0.254; start it, or reload one that runs"
        #expect(world.news().contains(.alarm(.keepalived, text)))
        #expect(
            world.role.refusal(of: "jcom", on: RoleWorld.nodes[1], at: world.now)
                == "keepalived, which would give the address away, does not run here")
        world.handle(.keepalived(isThere: true))
        #expect(world.news().contains(.alarm(.keepalived, nil)))
    }

    @Test(
        "an orphan of a killed keepalived steps back from the address for a better master, and takes the role again without one"
    )
    func orphan() {
        var world = RoleWorld(hasAddress: true)
        world.handle(.keepalived(isThere: false))
        world.hear("sub", .master, health: 3)
        // The best of three steps back last: two seconds after the others could.
        world.pass(.milliseconds(4999), hearing: [("sub", .master, 3)])
        #expect(world.role.role == .master)
        #expect(world.done.contains { if case .alarm(.rival, _?) = $0.output { $0.at == 3 } else { false } })
        world.pass(.milliseconds(1), hearing: [("sub", .master, 3)])
        #expect(world.role.role == .backup && world.role.isOrphan)
        #expect(world.role.reason == "keepalived is gone here, and sub has 192.168.0.254")
        // The other one goes.
        world.pass(.seconds(4))
        #expect(world.role.role == .master && !world.role.isOrphan)
        #expect(world.role.reason == "192.168.0.254 is still on this box, and nobody better has it")
    }

    @Test("keepalived that is back takes the address off the orphan: its own traffic goes another way")
    func orphanEnds() {
        var world = RoleWorld(hasAddress: true)
        world.handle(.keepalived(isThere: false))
        world.hear("sub", .master, health: 3)
        world.pass(.seconds(6), hearing: [("sub", .master, 3)])
        #expect(world.role.isOrphan)
        _ = world.news()
        world.handle(.address(isHere: false))
        #expect(world.news().contains(.reroute) && !world.role.isOrphan && world.role.role == .backup)
        #expect(world.role.reason == "192.168.0.254 left this box")
    }

    @Test("two masters for less than three seconds are a hand-over, not rivals; a held one is no better master")
    func rivals() {
        var world = RoleWorld(hasAddress: true)
        world.hear("sub", .master, health: 3)
        world.pass(.milliseconds(2500), hearing: [("sub", .master, 3)])
        world.hear("sub", .backup, health: 3)
        #expect(!world.news().contains { if case .alarm(.rival, _) = $0 { true } else { false } })
        world.handle(.keepalived(isThere: false))
        world.pass(.seconds(30), hearing: [("sub", .master, NodeHealth.held)])
        #expect(world.role.role == .master)
    }

    // MARK: forwarding

    @Test("a backup that becomes the best turns forwarding on before the address comes, for ten advertisements or 3 s")
    func expectation() {
        var world = RoleWorld(health: 1) { $0.backupForwarding = .off }
        let master: [(node: String, role: BoxRole, health: Int)] = [("sub", .master, 3)]
        world.hear("sub", .master, health: 3)
        world.pass(.seconds(5), hearing: master)
        #expect(world.news().last == .forwarding(isOff: true))
        world.fitness(4)
        #expect(world.news() == [.health(4), .forwarding(isOff: false)])
        world.pass(.milliseconds(2999), hearing: master)
        #expect(world.news() == [])
        world.pass(.milliseconds(1), hearing: master)
        #expect(world.news() == [.forwarding(isOff: true)])
        // With advertisements a second apart it comes after three to four seconds.
        var slow = RoleWorld(health: 1) {
            $0.backupForwarding = .off
            $0.advertisement = .seconds(1)
        }
        slow.hear("sub", .master, health: 3)
        slow.pass(.seconds(5), hearing: master)
        slow.fitness(4)
        _ = slow.news()
        slow.pass(.milliseconds(9999), hearing: master)
        #expect(slow.news() == [])
        slow.pass(.milliseconds(1), hearing: master)
        #expect(slow.news() == [.forwarding(isOff: true)])
        // Where a better box does not take the address by itself, there is nothing to expect.
        var other = RoleWorld(health: 1) {
            $0.backupForwarding = .off
            $0.preempts = false
        }
        other.hear("sub", .master, health: 3)
        other.pass(.seconds(5), hearing: master)
        _ = other.news()
        other.fitness(4)
        #expect(other.news() == [.health(4)])
    }

    // MARK: hand-over

    @Test("a box that stands aside is held, says until when, ends by itself, and tells where nobody takes the address")
    func handOver() {
        var world = RoleWorld(hasAddress: true)
        world.hear("sub", .backup, health: 3)
        let handOver = SiteRole.HandOver(uplink: "jcom", since: world.now, until: world.now + .seconds(60))
        world.handle(.handOver(handOver))
        #expect(world.healths == [4, NodeHealth.yield], "with a better box the address is given")
        world.pass(.seconds(6), hearing: [("sub", .backup, 3)])
        #expect(world.healths == [4, NodeHealth.yield, NodeHealth.held])
        var report = StatusReport(
            version: "", node: "main", selected: [],
            policy: StatusReport.PolicyFile(path: "", sha256: "", loadedAt: Timestamp(unixNanoseconds: 0)), uplinks: [])
        world.role.add(to: &report, fingerprint: "", at: world.now)
        #expect(
            report.warnings == [
                "this box stands aside for jcom, but no other box takes the address; `wanctl auto` ends that"
            ])
        world.pass(.milliseconds(53_999), hearing: [("sub", .backup, 3)])
        #expect(world.role.handOver == handOver)
        world.pass(.milliseconds(1), hearing: [("sub", .backup, 3)])
        #expect(world.role.handOver == nil)
        #expect(world.done.contains { $0.output == .handOverEnded(handOver) && $0.at == 60 })
        #expect(world.healths.last == 4)
    }

    // MARK: all of it

    @Test(
        "whatever comes in whatever order: the deeds keep their order, and no deadline lies behind", arguments: 1...40)
    func anyOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var world = RoleWorld(
            found: [nil, 0, 4].randomElement(using: &random) ?? nil, hasAddress: .random(using: &random)
        ) {
            $0.backupForwarding = Bool.random(using: &random) ? .off : .leave
            $0.preempts = .random(using: &random)
        }
        for _ in 0..<400 {
            world.done = []
            switch Int.random(in: 0..<9, using: &random) {
            case 0: world.handle(.address(isHere: .random(using: &random)))
            case 1: world.handle(.keepalived(isThere: [true, false, nil].randomElement(using: &random) ?? nil))
            case 2:
                let event = VRRPNotice.Event.allCases.randomElement(using: &random) ?? .master
                world.handle(.notice(VRRPNotice(subject: .instance, name: "VI_LAN", event: event, priority: 1)))
            case 3:
                world.hear(
                    Bool.random(using: &random) ? "sub" : "third", Bool.random(using: &random) ? .master : .backup,
                    health: [NodeHealth.yield, 0, 1, 2, 3].randomElement(using: &random) ?? 0)
            case 4: world.handle(.look)
            case 5:
                let until = world.now + .seconds(Int.random(in: 1...5, using: &random))
                world.handle(
                    .handOver(Bool.random(using: &random) ? nil : .init(uplink: "jcom", since: world.now, until: until))
                )
            case 6:
                world.handle(
                    .fitness(
                        SiteRole.Fitness(
                            health: .random(in: 0...4, using: &random), trusted: 4, isProving: .random(using: &random),
                            isUntranslated: .random(using: &random), isUnreliable: .random(using: &random))))
            case 7:
                world.handle(
                    .policy(world.role.settings, hasAddress: .random(using: &random), SiteRole.Fitness(health: 2)))
            default:
                world.now = max(world.now, world.role.nextDeadline)
                world.handle(.deadlineReached)
            }
            #expect(world.role.nextDeadline > world.now, "seed \(seed)")
            guard let end = world.done.lastIndex(where: { if case .role = $0.output { true } else { false } }) else {
                continue
            }
            let ranks = world.done[...end].compactMap { RoleWorld.rank($0.output) }
            #expect(ranks == ranks.sorted() && ranks.first == 0, "seed \(seed): \(world.done)")
        }
    }
}
