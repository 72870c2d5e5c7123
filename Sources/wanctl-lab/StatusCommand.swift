internal import ArgumentParser
internal import JSONText
internal import WANLab

/// `wanctl-lab status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show a running lab's uplinks, their faults and counters.")

    @OptionGroup var choice: LabChoice

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() throws {
        let status = try choice.client().ask(["status"])
        print(json ? status.prettyText : Self.table(status))
    }

    private static func table(_ status: JSONValue) -> String {
        var lines = ["lab \(status["id"]?.string ?? "?")"]
        for uplink in status["uplinks"]?.array ?? [] {
            let words = { (name: String) in
                let effects = uplink[name]?.array?.compactMap(\.string) ?? []
                return effects.isEmpty ? "untouched" : effects.joined(separator: ", ")
            }
            let packets = { (name: String) in uplink["packets"]?[name]?.integer ?? 0 }
            let name = uplink["name"]?.string ?? "?"
            let there = uplink["present"]?.bool == true ? "" : "  (gone)"
            lines += [
                "", "\(name)  \(uplink["interface"]?.string ?? "?")  \(uplink["address"]?.string ?? "?")\(there)",
                "  up    \(words("up"))  ·  \(packets("up")) packets, \(packets("up_lost")) lost",
                "  down  \(words("down"))  ·  \(packets("down")) packets, \(packets("down_lost")) lost",
                "  refused for their source address: \(uplink["wrong_sources"]?.integer ?? 0)",
            ]
        }
        return lines.joined(separator: "\n")
    }
}
