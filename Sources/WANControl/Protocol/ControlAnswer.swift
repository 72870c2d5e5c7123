package import JSONText

/// One line that the daemon sends back.
package enum ControlAnswer: Hashable, Sendable {
    /// `{"ok":true,"result":…}`: the answer, or one of a stream.
    case result(JSONValue)
    /// `{"ok":true,"end":true}`: a stream is complete.
    case end
    /// `{"ok":false,"code":1,"error":"…"}`: nothing follows.
    case refused(ControlRefusal)

    package var json: JSONValue {
        switch self {
        case .result(let value): return ["ok": true, "result": value]
        case .end: return ["ok": true, "end": true]
        case .refused(let refusal):
            var members: [JSONValue.Member] = [
                .init("ok", false), .init("code", .integer(refusal.code.rawValue)),
                .init("error", .string(refusal.reason)),
            ]
            if !refusal.details.isEmpty {
                members.append(.init("details", .array(refusal.details.map { .string($0) })))
            }
            return .object(members)
        }
    }

    /// The line as it is sent, with its newline.
    package var line: [UInt8] { Array(json.text.utf8) + [10] }

    /// Reads one line without its newline; an unknown code counts as refused.
    package init(line: [UInt8]) throws(ReportError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: line)
        } catch {
            throw ReportError(path: "answer", problem: "is not JSON: \(error)")
        }
        guard let ok = value["ok"]?.bool else { throw ReportError(path: "answer.ok", problem: "is missing") }
        if !ok {
            let code = value["code"]?.integer.flatMap { ControlRefusal.Code(rawValue: $0) } ?? .refused
            let details = value["details"]?.array?.compactMap(\.string) ?? []
            self = .refused(ControlRefusal(code, value["error"]?.string ?? "no reason was given", details: details))
        } else if value["end"]?.bool == true {
            self = .end
        } else {
            self = .result(value["result"] ?? .null)
        }
    }
}
