package import JSONText

extension ControlRequest {
    /// Reads one line without its newline. A refusal has the code `.usage` and says what would be right.
    package init(line: [UInt8]) throws(ControlRefusal) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: line)
        } catch {
            throw ControlRefusal(.usage, "a request is one line of JSON: \(printable(error.problem))")
        }
        try self.init(json: value)
    }

    package init(json: JSONValue) throws(ControlRefusal) {
        guard let members = json.members, let name = json["verb"]?.string else {
            throw ControlRefusal(.usage, #"a request is an object with a verb: {"verb":"status","arguments":{}}"#)
        }
        if let stranger = members.first(where: { $0.name != "verb" && $0.name != "arguments" }) {
            throw ControlRefusal(.usage, "a request has no member \(quoted(stranger.name))")
        }
        guard let verb = Verb(rawValue: name) else {
            let known = Verb.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlRefusal(.usage, "unknown verb \(quoted(name)); known are \(known)")
        }
        var arguments = try Arguments(json["arguments"] ?? .object([]), of: verb)
        switch verb {
        case .status: self = .status(watch: try arguments.flag("watch"))
        case .failover:
            self = .failover(
                uplink: try arguments.uplink(), span: try arguments.span("for"), force: try arguments.flag("force"),
                strict: try arguments.flag("strict"))
        case .auto: self = .auto
        case .drain: self = .drain(uplink: try arguments.uplink())
        case .enable: self = .enable(uplink: try arguments.uplink())
        case .disable: self = .disable(uplink: try arguments.uplink())
        case .reload: self = .reload
        case .probe: self = .probe(uplink: try arguments.name("uplink"))
        case .speed:
            let uplink = try arguments.uplink()
            guard let wanted = try arguments.name("class") else { throw arguments.missing("class") }
            self = .speed(uplink: uplink, speedClass: wanted == "auto" ? nil : wanted)
        case .watch: self = .watch
        case .why: self = .why
        case .rules: self = .rules
        case .history: self = .history(count: try arguments.count("count", in: Self.historyRange))
        }
        try arguments.expectNoMore()
    }
}

/// The arguments of one request, taken out one by one; what is left at the end was not asked for.
private struct Arguments {
    private let verb: ControlRequest.Verb
    private var left: [JSONValue.Member]

    init(_ value: JSONValue, of verb: ControlRequest.Verb) throws(ControlRefusal) {
        guard let members = value.members else {
            throw ControlRefusal(.usage, "\(verb.rawValue): arguments are an object")
        }
        self.verb = verb
        left = members
    }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let index = left.firstIndex(where: { $0.name == name }) else { return nil }
        let value = left.remove(at: index).value
        return value.isNull ? nil : value
    }

    private func wrong(_ name: String, _ wanted: String) -> ControlRefusal {
        ControlRefusal(.usage, "\(verb.rawValue): \(quoted(name)) is \(wanted)")
    }

    func missing(_ name: String) -> ControlRefusal {
        ControlRefusal(.usage, "\(verb.rawValue): \(quoted(name)) is missing")
    }

    mutating func flag(_ name: String) throws(ControlRefusal) -> Bool {
        guard let value = take(name) else { return false }
        guard let flag = value.bool else { throw wrong(name, "true or false") }
        return flag
    }

    /// A short name without control characters; `nil` when it is not given.
    mutating func name(_ name: String) throws(ControlRefusal) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string, (1...64).contains(text.utf8.count), text == printable(text) else {
            throw wrong(name, "a name of 1 to 64 bytes")
        }
        return text
    }

    mutating func uplink() throws(ControlRefusal) -> String {
        guard let uplink = try name("uplink") else { throw missing("uplink") }
        return uplink
    }

    mutating func span(_ name: String) throws(ControlRefusal) -> Duration? {
        guard let value = take(name) else { return nil }
        guard let span = value.string.flatMap({ Duration(spanText: $0) }), span > .zero,
            span <= ControlRequest.longestSpan
        else { throw wrong(name, "a time such as \"90s\", \"30m\", \"2h\" or \"1d\", at most 366 days") }
        return span
    }

    mutating func count(_ name: String, in range: ClosedRange<Int>) throws(ControlRefusal) -> Int? {
        guard let value = take(name) else { return nil }
        guard let count = value.integer.flatMap({ Int(exactly: $0) }), range.contains(count) else {
            throw wrong(name, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }

    func expectNoMore() throws(ControlRefusal) {
        guard let stranger = left.first else { return }
        throw ControlRefusal(.usage, "\(verb.rawValue) has no argument \(quoted(stranger.name))")
    }
}
