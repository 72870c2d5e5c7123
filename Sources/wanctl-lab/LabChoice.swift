internal import ArgumentParser
internal import WANLab

/// Which running lab a verb is for.
struct LabChoice: ParsableArguments {
    @Option(name: .long, help: "The lab's name; not needed while only one runs.")
    var id: String?

    func client() throws -> LabControlClient { try LabControlClient(id: id) }
}
