internal import ArgumentParser
internal import WANLab

/// `wanctl-lab fault UPLINK …`
struct FaultVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fault", abstract: "Let something go wrong with an uplink, or right.",
        discussion: "Faults: \(FaultCommand.usage)")

    @OptionGroup var choice: LabChoice

    @Option(name: .long, help: "With `back`: the new address of the interface.")
    var address: String?

    @Argument(help: "ftth, jcom or soracom")
    var uplink: String

    @Argument(help: "What happens to it, see below.")
    var fault: [String]

    func validate() throws {
        guard LabUplink(rawValue: uplink) != nil else {
            throw ValidationError("There is no uplink \"\(uplink)\"; there are ftth, jcom and soracom.")
        }
        do { _ = try FaultCommand(words: words) } catch { throw ValidationError("\(error)") }
    }

    func run() throws { _ = try choice.client().ask(["fault", uplink] + words) }

    private var words: [String] { fault + (address.map { [$0] } ?? []) }
}

/// `wanctl-lab clear`
struct ClearVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Heal every uplink and target.")

    @OptionGroup var choice: LabChoice

    func run() throws { _ = try choice.client().ask(["clear"]) }
}

/// `wanctl-lab target ADDRESS …`
struct TargetVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "target", abstract: "Let a target die, revive or lose a share of what it is asked.")

    @OptionGroup var choice: LabChoice

    @Option(name: .long, help: "Only as seen over this uplink.")
    var over: String?

    @Argument(help: "An IPv4 address of the lab's internet.")
    var address: String

    @Argument(help: "dead | alive | lossy 50%")
    var health: [String]

    func run() throws {
        _ = try choice.client().ask(["target", address] + health + (over.map { ["over", $0] } ?? []))
    }
}
