import Testing
import WANLab
import WANPolicy

@Suite("The stories of `wanctl-lab chaos`")
struct ChaosStoryTests {
    private static let seeds: ClosedRange<UInt64> = 1...3000

    private static func stories(_ scene: ChaosScene) -> [ChaosStory] {
        seeds.map { ChaosStory(seed: $0, scene: scene) }
    }

    @Test("are the same for the same seed, and others for another", arguments: ChaosScene.allCases)
    func seeded(scene: ChaosScene) {
        let stories = Self.stories(scene)
        #expect(stories == Self.stories(scene))
        #expect(Set(stories.map(\.steps)).count > stories.count * 9 / 10)
    }

    @Test("have every kind of act, and everything there is of a kind", arguments: ChaosScene.allCases)
    func complete(scene: ChaosScene) {
        var names: [ChaosAct.Kind: Set<String>] = [:]
        for act in Self.stories(scene).flatMap(\.acts) { names[act.kind, default: []].insert(act.name) }
        #expect(Set(names.keys) == Set(ChaosAct.Kind.allCases.filter { $0.happens(in: scene) }))
        #expect(names[.stranger] == Set(StrangersDeed.allCases.filter { $0.happens(in: scene) }.map(\.rawValue)))
        #expect(names[.policy] == Set(PolicyEdit.allCases.map(\.rawValue)))
        #expect(names[.soracom] == Set(SoracomTrouble.allCases.map(\.rawValue)))
        // A box alone has nobody to hand anything over to.
        let deeds = DaemonDeed.allCases.filter { scene == .twoBoxes || $0 != .handOver }
        #expect(names[.daemon] == Set(deeds.map(\.rawValue)))
        if scene == .twoBoxes { #expect(names[.keepalived] == Set(KeepalivedDeed.allCases.map(\.rawValue))) }
    }

    @Test("do only what has a sense then, and end healed", arguments: ChaosScene.allCases)
    func healed(scene: ChaosScene) {
        for story in Self.stories(scene) {
            var wounds = ChaosWounds()
            for step in story.steps {
                switch step.deed {
                case .act(let act):
                    #expect(wounds.allow(act), "seed \(story.seed): \(act) after \(wounds.open)")
                    wounds.suffer(act)
                case .heal(let wound):
                    #expect(
                        wounds.open.contains(wound) && wounds.allowHealing(of: wound), "seed \(story.seed): \(wound)")
                    wounds.heal(wound)
                }
            }
            for wound in story.healing {
                #expect(wounds.open.contains(wound) && wounds.allowHealing(of: wound), "seed \(story.seed): \(wound)")
                wounds.heal(wound)
            }
            #expect(wounds.open.isEmpty, "seed \(story.seed)")
            #expect(story.steps.count >= 3)
        }
    }

    @Test("have faults of lines and targets in words that the lab knows", arguments: ChaosScene.allCases)
    func words(scene: ChaosScene) throws {
        for act in Self.stories(scene).flatMap(\.acts) {
            switch act {
            case .line(_, let words): _ = try FaultCommand(words: words.split(separator: " ").map(String.init))
            case .target(_, let words, _): _ = try TargetHealth(words: words.split(separator: " ").map(String.init))
            default: continue
            }
        }
    }

    @Test("edit a policy into one that the reader takes, or into one that it refuses", arguments: PolicyEdit.allCases)
    func edits(edit: PolicyEdit) {
        let policy = SamplePolicy.text(hold: "1s", soracom: SoracomInLab.policyLines())
        guard let text = edit.applied(to: policy) else {
            #expect(edit == .removed)
            return
        }
        #expect(text != Array(policy.utf8))
        let isTaken = (try? PolicyReader.read(text)) != nil
        #expect(isTaken == edit.isGood)
    }
}

@Suite("The census of `wanctl-lab chaos`")
struct CensusTests {
    private let well = Census(
        kernel: ["route default dev ppp0 proto 87", "rule 8999: from all lookup 8700 proto 87"], programs: ["wanctld"],
        descriptors: 20, hasCourier: false, residentKiB: 9000)

    @Test("says what is too many and what is missing")
    func differences() {
        #expect(well.differences(from: well).isEmpty)
        var now = well
        now.kernel[0] = "route default dev ppp1 proto 87"
        #expect(
            Set(now.differences(from: well)) == [
                "too many: route default dev ppp1 proto 87", "missing: route default dev ppp0 proto 87",
            ])
        now = well
        now.programs.append("wanctld")
        #expect(now.differences(from: well) == ["too many: program wanctld"])
        now = well
        now.descriptors = 22
        #expect(now.differences(from: well).count == 1)
        now.hasCourier = true
        #expect(now.differences(from: well).isEmpty)
        now.residentKiB = 16_000
        #expect(now.differences(from: well).count == 1)
    }

    @Test("reads our nft table, whatever the order of its elements, and not what is forgotten by itself")
    func table() {
        func listing(_ uplinks: String, _ torn: String) -> String {
            """
            table inet wanctl {
            \tset uplinks {
            \t\ttype ifname
            \t\telements = { \(uplinks) }
            \t}

            \tset torn {
            \t\ttype ipv4_addr
            \t\telements = { \(torn) }
            \t}

            \tchain srcnat {
            \t\toifname @uplinks masquerade
            \t}
            }
            """
        }
        let table = Census.table(listing("\"ppp0\",\n\t\t\t     \"wlan0\"", "192.0.2.1"))
        #expect(table.count == 3)
        #expect(table == Census.table(listing("\"wlan0\", \"ppp0\"", "192.0.2.2, 192.0.2.3")))
        #expect(table != Census.table(listing("\"wlan0\"", "192.0.2.1")))
    }
}
