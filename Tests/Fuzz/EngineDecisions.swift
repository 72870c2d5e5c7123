import NetworkTypes
import WANEngine
import WANModel

/// The engine, told whatever may happen in any order.
func runEngine(_ bytes: [UInt8]) {
    var decisions = Decisions(bytes)
    var world = EngineWorld(&decisions)
    while !decisions.isOver, !world.isOver { happen(&world, &decisions) }
    world.checkReplay()
}

private func happen(_ world: inout EngineWorld, _ decisions: inout Decisions) {
    let kind = decisions.below(24)
    // Most are of the policy.
    let number = UplinkNumber(rawValue: UInt8(decisions.below(5) + 1))
    switch kind {
    case 0...7: world.run(1 + decisions.below(64))
    case 8: world.perform(.attached([report(number, isThere: true, &decisions)]))
    case 9: world.perform(.attached([report(number, isThere: false, &decisions)]))
    case 10:
        world.perform(
            .attached(world.setup.uplinks.map { report($0.number, isThere: decisions.below(4) != 3, &decisions) }))
    case 11, 12: world.changeLine(number, &decisions)
    case 13...16: world.perform(.operatorCommand(command(number, &decisions, at: world.now)))
    case 17: world.perform(.drainSettled(number, reason: "all is quiet"))
    case 18: world.perform(.isBackup(decisions.flag()))
    case 19: world.perform(.reload(SomePolicy.setup(&decisions)))
    case 20: world.sleep(decisions.span())
    case 21:
        let probe = ProbeIdentity(
            uplink: number, target: decisions.one(of: ProbeSettings.defaultTargets),
            sequence: UInt64(decisions.below(256)))
        world.perform(
            decisions.flag()
                ? .notSent(probe, "no buffer space") : .answered([AnswerReport(probe, rtt: decisions.span())]))
    case 22: tell(&world, number, &decisions)
    default: world.restart()
    }
}

private func report(_ number: UplinkNumber, isThere: Bool, _ decisions: inout Decisions) -> AttachmentReport {
    guard isThere else { return AttachmentReport(number, nil, reason: "carrier lost") }
    let kind = decisions.below(16)
    return AttachmentReport(
        number,
        Attachment(
            interfaceIndex: InterfaceIndex(rawValue: Int32(number.rawValue) + (kind & 1 == 1 ? 10 : 0)),
            interface: "ppp0",
            addresses: [.v4(IPv4Address(198, 51, 100, UInt8(kind >> 1 & 1)))],
            gateway: kind & 4 == 0 ? nil : .v4(IPv4Address(198, 51, 100, 254)), isWireless: kind & 8 != 0),
        reason: "it is up")
}

private func command(_ number: UplinkNumber, _ decisions: inout Decisions, at now: Moment) -> OperatorCommand {
    switch decisions.below(8) {
    case 0, 1:
        let kind = decisions.below(8)
        return .failover(
            number, until: kind & 1 == 0 ? nil : now + decisions.span(), force: kind & 2 != 0, strict: kind & 4 != 0)
    case 2: return .auto
    case 3: return .drain(number)
    case 4: return .enable(number)
    case 5: return .disable(number)
    case 6: return .speed(number, decisions.flag() ? nil : "s1.slow")
    default: return .probe(number)
    }
}

/// SORACOM answers, or does not any more.
private func tell(_ world: inout EngineWorld, _ number: UplinkNumber, _ decisions: inout Decisions) {
    switch decisions.below(4) {
    case 0: world.toggleSpeedClass()
    case 1:
        let pause = decisions.flag() ? decisions.span() : nil
        world.perform(.speedClass(number, .failed("no route", retryAfter: pause, permanent: decisions.flag())))
    default:
        world.perform(
            .speedClass(number, .confirmed(decisions.one(of: ["s1.fast", "s1.minimum", "s1.slow"]), via: "api")))
    }
}
