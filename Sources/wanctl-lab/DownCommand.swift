internal import ArgumentParser
internal import Glibc
internal import WANLab

/// `wanctl-lab down`
struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "End a running lab, and remove what interrupted ones left behind.")

    @OptionGroup var choice: LabChoice

    @Flag(name: .long, help: "Every lab that runs under `up`.")
    var all = false

    func run() throws {
        for id in try StaleLabs.sweep() { print("removed what was left of \(id)") }
        let running = try LabControlClient.reachable()
        for id in all ? running : try chosen(of: running) {
            try LabControlClient(id: id).down()
            print("\(id) is down")
        }
    }

    /// The one that is named, or the only one; none is no error, for then nothing is left to do.
    private func chosen(of running: [String]) throws -> [String] {
        if let id = choice.id { return running.filter { $0 == id } }
        return running.count > 1 ? [try choice.client().id] : running
    }
}
