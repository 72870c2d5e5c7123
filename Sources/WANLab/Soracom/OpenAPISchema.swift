package import JSONText

/// A schema of an OpenAPI 3.0 document, and what about a value offends it.
///
/// The part of the specification (Schema Object) that SORACOM's document uses: `$ref`, `type`, `nullable`, `enum`, `maximum`,
/// `minimum`, `properties`, `required`, `additionalProperties`, `items`. A keyword that would need judging and is not known is
/// itself a fault, so a newer document cannot pass unread.
package struct OpenAPISchema: Sendable {
    private let schema: JSONValue
    private let document: JSONValue

    init(_ schema: JSONValue, in document: JSONValue) {
        self.schema = document.following(schema)
        self.document = document
    }

    package func faults(in value: JSONValue, at place: String = "body") -> [String] {
        if value.isNull {
            return schema["nullable"]?.bool == true ? [] : ["\(place): is null"]
        }
        var faults =
            schema.members?.filter { !Self.known.contains($0.name) }
            .map { "\(place): the schema says \($0.name), which is not judged here" } ?? []
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            faults.append("\(place): \(value.text) is not one of \(allowed.map(\.text).joined(separator: ", "))")
        }
        switch (schema["type"]?.string, value) {
        case (nil, _), ("string", .string), ("boolean", .bool): break
        case ("integer", .integer(let number)): faults += bounds(Double(number), place)
        case ("number", .integer(let number)): faults += bounds(Double(number), place)
        case ("number", .number(let number)): faults += bounds(number, place)
        case ("array", .array(let elements)):
            if let items = schema["items"] {
                let inner = OpenAPISchema(items, in: document)
                faults += elements.enumerated()
                    .flatMap { inner.faults(in: $0.element, at: "\(place)[\($0.offset)]") }
            }
        case ("object", .object(let members)): faults += object(members, place)
        case (let type?, _): faults.append("\(place): is not of type \(type)")
        }
        return faults
    }

    private func bounds(_ number: Double, _ place: String) -> [String] {
        var faults: [String] = []
        if let maximum = schema["maximum"]?.double, number > maximum { faults.append("\(place): above \(maximum)") }
        if let minimum = schema["minimum"]?.double, number < minimum { faults.append("\(place): below \(minimum)") }
        return faults
    }

    private func object(_ members: [JSONValue.Member], _ place: String) -> [String] {
        var faults: [String] = []
        for name in schema["required"]?.array ?? [] {
            if let name = name.string, !members.contains(where: { $0.name == name }) {
                faults.append("\(place).\(name): is missing")
            }
        }
        let properties = schema["properties"]
        let additional = schema["additionalProperties"]
        for member in members {
            let here = "\(place).\(member.name)"
            if let property = properties?[member.name] {
                faults += OpenAPISchema(property, in: document).faults(in: member.value, at: here)
            } else if let additional, additional.members != nil {
                faults += OpenAPISchema(additional, in: document).faults(in: member.value, at: here)
            } else if additional?.bool == false || additional == nil && properties != nil {
                faults.append("\(here): is not a member that the specification knows")
            }
        }
        return faults
    }

    private static let known: Set<String> = [
        "type", "nullable", "enum", "maximum", "minimum", "properties", "required", "additionalProperties", "items",
        "description", "example", "default", "format",
    ]
}

extension JSONValue {
    /// What a `$ref` of this document points to (`#/components/schemas/Sim`); the value itself where it is none.
    func following(_ value: JSONValue) -> JSONValue {
        var value = value
        // A chain of references that ends nowhere is cut off.
        for _ in 0..<16 {
            guard let reference = value["$ref"]?.string, reference.hasPrefix("#/") else { return value }
            var here = self
            for part in reference.dropFirst(2).split(separator: "/") {
                guard let next = here[String(part)] else { return ["x-unknown-reference": .string(reference)] }
                here = next
            }
            value = here
        }
        return value
    }
}
