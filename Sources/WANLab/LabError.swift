/// Something the lab could not do: what it was about to do, and what stood in the way.
package struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As in "start the lab".
    package var doing: String
    package var problem: String

    package init(_ doing: String, _ problem: String) {
        self.doing = doing
        self.problem = problem
    }

    init(_ doing: String, _ error: any Error) {
        self.init(doing, (error as? LabError)?.problem ?? "\(error)")
    }

    package var description: String { "cannot \(doing): \(problem)" }
}

/// Runs a body that may fail in any way and says in the lab's words what it was for.
func doing<Answer: ~Copyable>(_ what: String, _ body: () throws -> Answer) throws(LabError) -> Answer {
    do { return try body() } catch { throw LabError(what, error) }
}
