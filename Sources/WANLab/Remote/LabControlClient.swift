package import JSONText
internal import LinuxIO
internal import NetworkTypes

/// Asks a running lab of another process.
package struct LabControlClient: Sendable {
    package let id: String

    /// The lab of that name; without a name, the only one that runs.
    package init(id: String?) throws(LabError) {
        let living = try Self.reachable()
        if let id {
            guard living.contains(id) else {
                throw LabError("reach the lab \(id)", "it is not running; start it with: wanctl-lab up --id \(id)")
            }
            self.id = id
        } else {
            guard let only = living.first else {
                throw LabError("reach a lab", "none is running; start one with: wanctl-lab up")
            }
            guard living.count == 1 else {
                throw LabError(
                    "choose a lab", "these are running, name one with --id: \(living.joined(separator: ", "))")
            }
            self.id = only
        }
    }

    /// The labs that run under `wanctl-lab up`.
    package static func reachable() throws(LabError) -> [String] {
        try StaleLabs.living().filter { Files.exists(LabControlServer.path(of: $0)) }
    }

    /// Ends the lab and waits until nothing is left of it.
    package func down() throws(LabError) {
        _ = try ask(["down"])
        let deadline = Clock.boottime() + 20_000_000_000
        while Files.exists("\(LabDirectory.root)/\(id)") {
            if Clock.boottime() > deadline { throw LabError("end the lab \(id)", "it is still there after 20 s") }
            pause(milliseconds: 10)
        }
    }

    /// Packets refused for their source, by uplink.
    package func wrongSources() throws(LabError) -> [LabUplink: Int] {
        var counts: [LabUplink: Int] = [:]
        for uplink in try ask(["status"])["uplinks"]?.array ?? [] {
            if let name = uplink["name"]?.string, let key = LabUplink(rawValue: name) {
                counts[key] = uplink["wrong_sources"]?.integer.map { Int($0) }
            }
        }
        return counts
    }

    /// Sends the words of one command; its answer.
    package func ask(_ words: [String]) throws(LabError) -> JSONValue {
        let answer = try doing("ask the lab \(id)") {
            let path = LabControlServer.path(of: id)
            let socket = try UnixStream.connect(to: path)
            let line = Array((JSONValue.array(words.map { .string($0) }).text + "\n").utf8)
            guard try UnixStream.send(line[...], to: socket) == line.count else {
                throw LabError("", "it took only a part of the command")
            }
            return try JSONValue(parsing: try Files.read(socket, limit: LabControlServer.longestLine, name: path))
        }
        if let problem = answer["error"]?.string { throw LabError(words.joined(separator: " "), problem) }
        return answer["answer"] ?? .null
    }

    /// The addresses a prober in this process needs.
    package func clientSite() throws(LabError) -> ProbeSite {
        let status = try ask(["status"])
        var owners: [IPv4Address: LabUplink] = [:]
        for source in status["sources"]?.members ?? [] {
            if let address = IPv4Address(source.name), let name = source.value.string,
                let uplink = LabUplink(rawValue: name)
            {
                owners[address] = uplink
            }
        }
        return ProbeSite(
            namespace: "/run/netns/\(LabPlace.lan.namespace(of: id))", server: ContentServer.endpoint, owners: owners)
    }
}
