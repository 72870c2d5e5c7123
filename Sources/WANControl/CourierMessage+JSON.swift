internal import JSONText
internal import WANModel

extension CourierRequest {
    /// The line to send, without newline.
    package var line: [UInt8] {
        var members: [JSONValue.Member] = [
            .init("id", .integer(id)), .init("verb", .string(verb.rawValue)), .init("uplink", .string(uplink)),
            .init("interface", JSONValue(interface)),
        ]
        switch identity {
        case .sim(let name): members.append(.init("sim", .string(name)))
        case .imsi(let name): members.append(.init("imsi", .string(name)))
        case nil: break
        }
        members += [
            .init("class", JSONValue(speedClass)),
            .init("via", .array(via.map { .string($0.rawValue) })),
            .init("metadata_endpoint", .string(metadataEndpoint)),
            .init("endpoint", JSONValue(endpoint)),
            .init("credentials", JSONValue(credentials)),
            .init("timeout_ms", .integer(timeout.wholeMilliseconds)),
        ]
        return Array(JSONValue.object(members).text.utf8)
    }

    /// Reads a line; a member that is not known is an error, since two programs of one build talk here.
    package init(line: [UInt8]) throws(CourierMessageError) {
        let json = try Reader(line)
        try json.refuseUnknown(besides: [
            "id", "verb", "uplink", "interface", "sim", "imsi", "class", "via", "metadata_endpoint", "endpoint",
            "credentials", "timeout_ms",
        ])
        guard let verb = Verb(rawValue: try json.needed("verb")) else {
            throw CourierMessageError("verb: not one of \(Verb.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.init(id: try json.integer("id"), verb: verb, uplink: try json.needed("uplink"))
        interface = try json.text("interface")
        switch (try json.text("sim"), try json.text("imsi")) {
        case (let sim?, nil): identity = .sim(sim)
        case (nil, let imsi?): identity = .imsi(imsi)
        case (nil, nil): identity = nil
        default: throw CourierMessageError("sim, imsi: only one of them")
        }
        speedClass = try json.text("class")
        via = try json.ways() ?? via
        metadataEndpoint = try json.text("metadata_endpoint") ?? metadataEndpoint
        endpoint = try json.text("endpoint")
        credentials = try json.text("credentials")
        let milliseconds = try json.integer("timeout_ms")
        guard (1...600_000).contains(milliseconds) else { throw CourierMessageError("timeout_ms: not in 1…600000") }
        timeout = .milliseconds(milliseconds)
    }
}

extension CourierAnswer {
    /// The line to send, without newline.
    package var line: [UInt8] {
        var members: [JSONValue.Member] = [.init("id", JSONValue(id))]
        switch outcome {
        case .speedClass(let name, let way):
            members += [.init("ok", true), .init("class", .string(name)), .init("via", .string(way.rawValue))]
        case .prepared(let expiresAt):
            members += [.init("ok", true), .init("expires_at", .integer(expiresAt))]
        case .failed(let text, let retryAfter, let permanent):
            members += [
                .init("ok", false), .init("error", .string(text)),
                .init("retry_after_ms", JSONValue(retryAfter?.wholeMilliseconds)), .init("permanent", .bool(permanent)),
            ]
        }
        members.append(.init("took_ms", .integer(took.wholeMilliseconds)))
        return Array(JSONValue.object(members).text.utf8)
    }

    package init(line: [UInt8]) throws(CourierMessageError) {
        let json = try Reader(line)
        id = try json.optionalInteger("id")
        took = .milliseconds(try json.integer("took_ms"))
        if try json.flag("ok") {
            if let expiresAt = try json.optionalInteger("expires_at") {
                outcome = .prepared(expiresAt: expiresAt)
            } else {
                guard let way = SoracomSettings.Way(rawValue: try json.needed("via")) else {
                    throw CourierMessageError("via: not a way that we know")
                }
                let name = try json.needed("class")
                guard name.utf8.count <= 64 else { throw CourierMessageError("class: longer than 64 bytes") }
                outcome = .speedClass(name, via: way)
            }
        } else {
            outcome = .failed(
                String(try json.needed("error").prefix(Self.longestText)),
                retryAfter: try json.optionalInteger("retry_after_ms").map {
                    min(max(.milliseconds($0), .zero), Self.longestRetry)
                },
                permanent: try json.flag("permanent"))
        }
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// Members of a message by name and type.
private struct Reader {
    private let json: JSONValue

    init(_ line: [UInt8]) throws(CourierMessageError) {
        guard line.count <= courierLineLimit else { throw CourierMessageError("longer than \(courierLineLimit) bytes") }
        do {
            json = try JSONValue(parsing: line)
        } catch {
            // Not jansson's sentence: it quotes what it stumbled over.
            throw CourierMessageError("not JSON (column \(error.column))")
        }
        guard json.members != nil else { throw CourierMessageError("not a JSON object") }
    }

    func refuseUnknown(besides known: Set<String>) throws(CourierMessageError) {
        for member in json.members ?? [] where !known.contains(member.name) {
            throw CourierMessageError("\(member.name): not a member of this message")
        }
    }

    func text(_ name: String) throws(CourierMessageError) -> String? {
        switch json[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw CourierMessageError("\(name): not a string")
        }
    }

    func needed(_ name: String) throws(CourierMessageError) -> String {
        guard let text = try text(name) else { throw CourierMessageError("\(name): missing") }
        return text
    }

    func optionalInteger(_ name: String) throws(CourierMessageError) -> Int64? {
        switch json[name] {
        case nil, .null?: return nil
        case .integer(let number)?: return number
        default: throw CourierMessageError("\(name): not an integer")
        }
    }

    func integer(_ name: String) throws(CourierMessageError) -> Int64 {
        guard let number = try optionalInteger(name) else { throw CourierMessageError("\(name): missing") }
        return number
    }

    func flag(_ name: String) throws(CourierMessageError) -> Bool {
        guard let flag = json[name]?.bool else { throw CourierMessageError("\(name): not true or false") }
        return flag
    }

    func ways() throws(CourierMessageError) -> [SoracomSettings.Way]? {
        guard let value = json["via"], !value.isNull else { return nil }
        guard let names = value.array, !names.isEmpty else { throw CourierMessageError("via: not a list of ways") }
        var ways: [SoracomSettings.Way] = []
        for name in names {
            guard let way = name.string.flatMap({ SoracomSettings.Way(rawValue: $0) }), !ways.contains(way) else {
                throw CourierMessageError("via: not a list of different ways")
            }
            ways.append(way)
        }
        return ways
    }
}
