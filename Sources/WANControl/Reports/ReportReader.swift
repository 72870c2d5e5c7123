internal import JSONText

/// What in an answer is not as agreed, and where: `status.uplinks[2].state`.
package struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "\(path) \(problem)" }
}

/// Reads the members of one JSON object into typed values; unknown members are let pass, a newer daemon may have more.
struct ReportReader {
    private let path: String
    private let value: JSONValue

    init(_ value: JSONValue, at path: String) throws(ReportError) {
        guard value.members != nil else { throw ReportError(path: path, problem: "is no object") }
        self.value = value
        self.path = path
    }

    private func wrong(_ name: String, _ problem: String) -> ReportError {
        ReportError(path: "\(path).\(name)", problem: problem)
    }

    /// The member's value as `read` sees it; `nil` where the member is null or not there.
    func optional<Value>(
        _ name: String, _ kind: String, _ read: (JSONValue) -> Value?
    ) throws(ReportError) -> Value? {
        guard let member = value[name], !member.isNull else { return nil }
        guard let result = read(member) else { throw wrong(name, "is no \(kind)") }
        return result
    }

    private func required<Value>(_ name: String, _ found: Value?) throws(ReportError) -> Value {
        guard let found else { throw wrong(name, "is missing") }
        return found
    }

    func text(_ name: String) throws(ReportError) -> String { try required(name, try optionalText(name)) }
    func flag(_ name: String) throws(ReportError) -> Bool { try required(name, try optionalFlag(name)) }
    func integer(_ name: String) throws(ReportError) -> Int64 { try required(name, try optionalInteger(name)) }
    func time(_ name: String) throws(ReportError) -> Timestamp { try required(name, try optionalTime(name)) }
    func seconds(_ name: String) throws(ReportError) -> Duration { try required(name, try optionalSeconds(name)) }

    func optionalText(_ name: String) throws(ReportError) -> String? { try optional(name, "text") { $0.string } }
    func optionalFlag(_ name: String) throws(ReportError) -> Bool? { try optional(name, "Boolean") { $0.bool } }
    func optionalNumber(_ name: String) throws(ReportError) -> Double? { try optional(name, "number") { $0.double } }
    func optionalInteger(_ name: String) throws(ReportError) -> Int64? {
        try optional(name, "whole number") { $0.integer }
    }
    func optionalTime(_ name: String) throws(ReportError) -> Timestamp? {
        try optional(name, "time") { $0.string.flatMap { Timestamp($0) } }
    }
    func optionalSeconds(_ name: String) throws(ReportError) -> Duration? {
        try optional(name, "number of seconds") { $0.double.flatMap { Duration(reportSeconds: $0) } }
    }
    func choice<Value: RawRepresentable<String>>(_ name: String, as _: Value.Type) throws(ReportError) -> Value {
        try required(name, try optional(name, "word this version knows") { $0.string.flatMap { Value(rawValue: $0) } })
    }
    /// Texts of an array; none where it is missing.
    func texts(_ name: String) throws(ReportError) -> [String] {
        try optional(name, "list of texts") { value in
            value.array.flatMap { items in
                let texts = items.compactMap(\.string)
                return texts.count == items.count ? texts : nil
            }
        } ?? []
    }

    /// An inner object; `nil` where it is null or missing.
    func object<Value>(
        _ name: String, _ read: (ReportReader) throws(ReportError) -> Value
    ) throws(ReportError) -> Value? {
        guard let member = value[name], !member.isNull else { return nil }
        return try read(try ReportReader(member, at: "\(path).\(name)"))
    }

    /// Inner objects of an array; none where it is missing.
    func objects<Value>(
        _ name: String, _ read: (ReportReader) throws(ReportError) -> Value
    ) throws(ReportError) -> [Value] {
        guard let items = try optional(name, "list", { $0.array }) else { return [] }
        var values: [Value] = []
        for (index, item) in items.enumerated() {
            values.append(try read(try ReportReader(item, at: "\(path).\(name)[\(index)]")))
        }
        return values
    }
}

extension Duration {
    /// Seconds with their fraction, as reports carry spans; `nil` for what no clock can show.
    init?(reportSeconds seconds: Double) {
        guard seconds.isFinite, abs(seconds) < 1e10 else { return nil }
        self = .milliseconds(Int64((seconds * 1000).rounded()))
    }

    /// To the millisecond.
    var reportSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000
    }
}
