internal import CJansson

/// Why a text is not JSON, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int
    package var problem: String
    package var description: String { "line \(line), column \(column): \(problem)" }
}

extension JSONValue {
    /// Reads one JSON text (RFC 8259). Duplicate members are refused; jansson bounds the depth (JSON_PARSER_MAX_DEPTH, 2048).
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var error = json_error_t()
        let flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL
        let root = bytes.withUnsafeBytes { raw in
            json_loadb(raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count, Int(flags), &error)
        }
        guard let root else {
            let text = withUnsafeBytes(of: error.text) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw JSONError(line: Int(error.line), column: Int(error.column), problem: text)
        }
        defer { wan_json_decref(root) }
        self.init(root)
    }

    package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }

    private init(_ value: UnsafeMutablePointer<json_t>) {
        switch value.pointee.type {
        case JSON_OBJECT:
            var members: [Member] = []
            var iterator = json_object_iter(value)
            while let here = iterator {
                if let name = json_object_iter_key(here), let inner = json_object_iter_value(here) {
                    members.append(Member(String(cString: name), JSONValue(inner)))
                }
                iterator = json_object_iter_next(value, here)
            }
            self = .object(members)
        case JSON_ARRAY:
            self = .array(
                (0..<json_array_size(value)).compactMap { index in json_array_get(value, index).map { JSONValue($0) } })
        case JSON_STRING:
            let length = json_string_length(value)
            guard let bytes = json_string_value(value) else {
                self = .string("")
                return
            }
            self = .string(
                String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self))
        case JSON_INTEGER: self = .integer(json_integer_value(value))
        case JSON_REAL: self = .number(json_real_value(value))
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }
}
