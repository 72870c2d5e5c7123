package import JSONText

/// An OpenAPI 3.0 document that judges requests.
package struct OpenAPI: Sendable {
    /// SORACOM's API, cut to what this project has to do with (`Resources/soracom-api.json`; `info` says where it is from).
    package static func soracom() throws(JSONError) -> OpenAPI {
        OpenAPI(try JSONValue(parsing: PackageResources.soracom_api_json))
    }

    private let document: JSONValue
    private let operations: [Operation]
    /// The path of the servers' URLs: `/v1`.
    package let basePath: String

    private struct Operation: Sendable {
        var method: String
        var segments: [Substring]
        var description: JSONValue
    }

    package enum Verdict: Sendable {
        case noSuchPath
        case wrongMethod
        case operation(id: String, parameters: [String: String], faults: [String])
    }

    package init(_ document: JSONValue) {
        self.document = document
        let server = document["servers"]?.array?.first?["url"]?.string ?? ""
        // https://host/v1: the path begins at the third slash.
        let parts = server.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        basePath = parts.count == 4 ? "/" + parts[3] : ""
        operations = (document["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).map { method in
                Operation(
                    method: method.name.uppercased(), segments: Self.segments(path.name), description: method.value)
            }
        }
    }

    package func judge(_ request: HTTPServerRequest) -> Verdict {
        guard request.path.hasPrefix(basePath + "/") else { return .noSuchPath }
        let segments = Self.segments(String(request.path.dropFirst(basePath.count)))
        let matches = operations.compactMap { operation in
            Self.match(operation.segments, segments).map { (operation, $0) }
        }
        guard !matches.isEmpty else { return .noSuchPath }
        guard let (operation, parameters) = matches.first(where: { $0.0.method == request.method }) else {
            return .wrongMethod
        }
        let description = operation.description
        return .operation(
            id: description["operationId"]?.string ?? "", parameters: parameters,
            faults: securityFaults(description, request) + parameterFaults(description, request)
                + bodyFaults(description, request))
    }

    /// What is wrong with an answer of ours: the mock is held to the same document.
    package func faults(inAnswerOf id: String, status: Int, _ body: JSONValue) -> [String] {
        guard let operation = operations.first(where: { $0.description["operationId"]?.string == id }),
            let answers = operation.description["responses"], let answer = answers[String(status)] ?? answers["default"]
        else { return ["\(id) has no answer with status \(status)"] }
        guard let schema = document.following(answer)["content"]?["application/json"]?["schema"] else { return [] }
        return OpenAPISchema(schema, in: document).faults(in: body, at: id)
    }

    private func securityFaults(_ operation: JSONValue, _ request: HTTPServerRequest) -> [String] {
        // SORACOM's operations have one requirement each, of all the schemes in it.
        (operation["security"]?.array?.first?.members ?? []).compactMap { requirement in
            guard let scheme = document["components"]?["securitySchemes"]?[requirement.name],
                let header = scheme["name"]?.string
            else { return "the specification lacks the security scheme \(requirement.name)" }
            return request.header(header)?.isEmpty == false ? nil : "header \(header): is missing"
        }
    }

    private func parameterFaults(_ operation: JSONValue, _ request: HTTPServerRequest) -> [String] {
        let parameters = (operation["parameters"]?.array ?? []).map { document.following($0) }
            .filter { $0["in"] == "query" }
        var faults: [String] = []
        for parameter in parameters {
            guard let name = parameter["name"]?.string else { continue }
            guard let text = request.query.first(where: { $0.name == name })?.value else {
                if parameter["required"]?.bool == true { faults.append("query \(name): is missing") }
                continue
            }
            guard let described = parameter["schema"] else { continue }
            let schema = document.following(described)
            let value = schema["type"] == "integer" ? JSONValue(Int64(text)) : .string(text)
            faults += OpenAPISchema(schema, in: document).faults(in: value, at: "query \(name)")
        }
        for field in request.query where !parameters.contains(where: { $0["name"]?.string == field.name }) {
            faults.append("query \(field.name): is not a parameter that the specification knows")
        }
        return faults
    }

    private func bodyFaults(_ operation: JSONValue, _ request: HTTPServerRequest) -> [String] {
        guard let described = operation["requestBody"] else {
            return request.body.isEmpty ? [] : ["body: there is none in this operation"]
        }
        let content = document.following(described)["content"]
        if request.body.isEmpty { return ["body: is missing"] }
        let type = request.header("Content-Type") ?? ""
        let name = type.split(separator: ";", maxSplits: 1).first.map { String($0).lowercased() } ?? ""
        guard let media = content?[name] else { return ["header Content-Type: \(type.isEmpty ? "is missing" : type)"] }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: request.body)
        } catch {
            return ["body: is not JSON, \(error)"]
        }
        return media["schema"].map { OpenAPISchema($0, in: document).faults(in: value) } ?? []
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { $0 }
    }

    private static func match(_ template: [Substring], _ path: [Substring]) -> [String: String]? {
        guard template.count == path.count else { return nil }
        var parameters: [String: String] = [:]
        for (wanted, found) in zip(template, path) {
            if wanted.hasPrefix("{") {
                guard !found.isEmpty else { return nil }
                parameters[String(wanted.dropFirst().dropLast())] = String(found)
            } else if wanted != found {
                return nil
            }
        }
        return parameters
    }
}
