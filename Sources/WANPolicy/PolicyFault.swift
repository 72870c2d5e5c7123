/// One thing that is wrong with a policy: where, what, and what would be right.
package struct PolicyFault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Severity: Hashable, Sendable {
        /// The policy is refused.
        case fault
        /// The policy is valid, but hardly what its author meant.
        case warning
    }
    package var file: String
    package var position: SourcePosition
    package var problem: String
    /// What to write instead, where that can be said.
    package var advice: String?
    package var severity: Severity

    package init(
        file: String, at position: SourcePosition, problem: String, advice: String? = nil, severity: Severity = .fault
    ) {
        self.file = file
        self.position = position
        self.problem = problem
        self.advice = advice
        self.severity = severity
    }

    package var line: Int { position.line }
    package var column: Int { position.column }

    /// `policy.yaml:12:5: unknown key "intervall"; did you mean "interval"?`, the form that editors can jump to.
    package var description: String { describe(as: severity == .warning ? "warning: " : "") }

    /// The same for who says himself that it is a warning.
    package var text: String { describe(as: "") }

    package func describe(as kind: String) -> String {
        "\(file):\(line):\(column): \(kind)\(problem)\(advice.map { "; \($0)" } ?? "")"
    }
}

/// Everything that is wrong with a policy that was refused, each list in the order of the file.
package struct PolicyFaults: Error, Hashable, Sendable, CustomStringConvertible {
    package var faults: [PolicyFault]
    package var warnings: [PolicyFault]
    /// Parts that are in order but that this release cannot obey.
    package var unsupported: [PolicyFault]

    package init(_ faults: [PolicyFault], warnings: [PolicyFault] = [], unsupported: [PolicyFault] = []) {
        self.faults = faults
        self.warnings = warnings
        self.unsupported = unsupported
    }

    /// How many faults the description lists before it only counts.
    package static let shown = 50

    /// The faults, one on a line.
    package var description: String {
        var lines = faults.prefix(Self.shown).map(\.description)
        if faults.count > Self.shown { lines.append("… and \(faults.count - Self.shown) faults more") }
        return lines.joined(separator: "\n")
    }
}

extension String {
    /// The text in quotes as it may stand in a message: short, on one line, without what a terminal would obey.
    var quoted: String {
        var out = "\""
        for (count, scalar) in unicodeScalars.enumerated() {
            if count == 60 {
                out += "…"
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
