/// A ruleset nft(8) did not take: its own text, with line and column of the fault.
package struct NftablesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As nft prints it: `ruleset:3:20-26: Error: …`, the faulty line, and a mark below the fault.
    package var text: String

    /// What is wrong, without the faulty line.
    package var summary: String { text.split(separator: "\n").first.map(String.init) ?? text }

    /// The kernel or nft found no table, chain, set or element of that name.
    package var isNotFound: Bool { text.contains("No such file or directory") }

    package var description: String { "nft: \(text)" }
}
