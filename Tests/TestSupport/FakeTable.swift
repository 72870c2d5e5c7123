package import WANDataplane

/// The sets and maps of a table in memory, filled from its text; it refuses what nftables refuses.
package struct FakeTable {
    package struct Refusal: Error { package let text: String }
    /// By name, then by key; a set's elements have no verdict.
    package private(set) var elements: [String: [String: String]] = [:]

    package init(_ text: String) {
        var name: String?
        for line in text.split(separator: "\n").map({ $0.drop { $0 == " " } }) {
            let words = line.split(separator: " ")
            if words.count == 3, words[0] == "set" || words[0] == "map" {
                name = String(words[1])
                elements[String(words[1])] = [:]
            } else if words.count == 3, words[0] == "chain" {
                name = nil
            } else if let name, words.count != 2, !["}", "type", "typeof", "elements"].contains(words[0]) {
                let verdict = words.dropFirst(2).joined(separator: " ")
                let key = words[0].last == "," ? words[0].dropLast() : words[0]
                // A bucket's other order of octets is for one release of nft that writes them so (`addShare`).
                if name.hasPrefix("buckets_"), (Int(key) ?? 0) >= ShareTable.size { continue }
                elements[name]?[String(key)] = String(verdict.last == "," ? verdict.dropLast() : verdict[...])
            }
        }
    }

    package mutating func apply(_ change: SteeringChange) throws(Refusal) {
        guard var now = elements[change.name] else { throw Refusal(text: "no \(change.name)") }
        if change.isFlushed { now = [:] }
        for key in change.removed {
            guard now.removeValue(forKey: key.description) != nil else {
                throw Refusal(text: "no \(key) in \(change.name)")
            }
        }
        for element in change.added {
            guard now.updateValue(element.verdict?.description ?? "", forKey: element.key.description) == nil else {
                throw Refusal(text: "\(element.key) is in \(change.name) already")
            }
        }
        elements[change.name] = now
    }
}
