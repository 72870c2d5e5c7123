extension JSONValue {
    /// The value on one line, without spaces.
    package var text: String {
        var out = ""
        write(to: &out, indent: nil, depth: 0)
        return out
    }

    /// The value over several lines, two spaces a level, for people.
    package var prettyText: String {
        var out = ""
        write(to: &out, indent: 2, depth: 0)
        return out
    }

    private func write(to out: inout String, indent: Int?, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        // Swift's shortest form is valid JSON but for its exponent without digits before, which it never writes.
        case .number(let value): out += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.quote(value, to: &out)
        case .array(let values):
            Self.list("[", "]", values, to: &out, indent: indent, depth: depth) { value, out in
                value.write(to: &out, indent: indent, depth: depth + 1)
            }
        case .object(let members):
            Self.list("{", "}", members, to: &out, indent: indent, depth: depth) { member, out in
                Self.quote(member.name, to: &out)
                out += indent == nil ? ":" : ": "
                member.value.write(to: &out, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func list<Element>(
        _ open: String, _ close: String, _ elements: [Element], to out: inout String, indent: Int?, depth: Int,
        _ body: (Element, inout String) -> Void
    ) {
        out += open
        for (index, element) in elements.enumerated() {
            if index > 0 { out += "," }
            if let indent { out += "\n" + String(repeating: " ", count: indent * (depth + 1)) }
            body(element, &out)
        }
        if let indent, !elements.isEmpty { out += "\n" + String(repeating: " ", count: indent * depth) }
        out += close
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
