internal import JSONText
internal import LinuxIO

extension HTTPServerReply {
    static func json(_ value: JSONValue, status: Int = 200) -> HTTPServerReply {
        HTTPServerReply(status: status, type: "application/json", value.text)
    }

    /// To who comes while the service ends.
    static var goingAway: HTTPServerReply {
        var reply = HTTPServerReply(status: 503)
        reply.manner = .reset
        return reply
    }

    /// The documented form of an error.
    static func refusal(_ status: Int, _ code: String, _ message: String) -> HTTPServerReply {
        json(["code": .string(code), "message": .string(message)], status: status)
    }

    /// The answer where the fault comes before anything is done; `nil` where it only spoils the true answer.
    init?(refusing fault: SoracomFault) {
        switch fault {
        case .status(let status, let code, let message): self = .refusal(status, code, message)
        case .nestedStatus(let status, let code, let message):
            self = .json(
                [
                    "httpStatus": .integer(Int64(status)),
                    "errorMessage": ["code": .string(code), "message": .string(message)],
                ], status: status)
        case .text(let status, let text): self = HTTPServerReply(status: status, type: "text/plain", text)
        case .html(let status):
            self = HTTPServerReply(
                status: status, type: "text/html",
                "<html>\r\n<head><title>\(status)</title></head>\r\n<body><center><h1>\(status)</h1></center></body></html>"
            )
        case .tooManyRequests(let seconds):
            self = .refusal(429, "LAB0429", "Too many requests.")
            headers += [
                .init("X-Soracom-Ratelimit-Limit", "60"), .init("X-Soracom-Ratelimit-Remaining", "0"),
                .init("X-Soracom-Ratelimit-Seconds-Before-Refresh", String(seconds)),
            ]
        case .tooManyRequestsUnexplained: self = HTTPServerReply(status: 429)
        case .redirect(let target):
            self.init(status: 302)
            headers = [.init("Location", target)]
        case .hang:
            self.init(status: 200)
            manner = .never
        case .reset:
            self.init(status: 200)
            manner = .reset
        case .slow, .dropMidAnswer, .keepsClass, .strangeMembers, .oversized: return nil
        }
    }

    func spoilt(by fault: SoracomFault?) -> HTTPServerReply {
        var reply = self
        switch fault {
        case .slow(let delay): reply.delay = delay
        case .dropMidAnswer: reply.manner = .half
        case .oversized: reply.body += [UInt8](repeating: 0x20, count: 2 << 20)
        case .strangeMembers: reply.body = Array(Self.strange(body).text.utf8)
        default: break
        }
        return reply
    }

    private static func strange(_ body: [UInt8]) -> JSONValue {
        guard let json = try? JSONValue(parsing: body), let members = json.members else { return .null }
        let kept: Set<String> = ["speedClass", "apiKey", "token"]
        return .object(
            members.map { kept.contains($0.name) ? $0 : .init($0.name, .null) } + [
                .init("eiccid", "8981"), .init("nextInfo", ["a": [1, 2.5, nil]]), .init("speedClassNext", nil),
            ])
    }
}

extension SoracomFault {
    var keptClass: String? { if case .keepsClass(let name) = self { name } else { nil } }
}

extension SoracomSIM {
    /// A `Subscriber`, with nulls where published answers have them.
    func subscriber(class shown: String? = nil) -> JSONValue {
        [
            "apn": "soracom.io", "createdAt": 1_600_000_000_000, "createdTime": 1_600_000_000_000, "expiredAt": nil,
            "expiryAction": nil, "expiryTime": nil, "groupId": nil, "iccid": .string(simID), "imeiLock": nil,
            "imsi": .string(imsi), "ipAddress": nil, "lastModifiedAt": 1_700_000_000_000,
            "lastModifiedTime": 1_700_000_000_000, "lastPortMappingCreatedTime": nil, "moduleType": "nano",
            "msisdn": "812000000000", "operatorId": .string(SoracomState.operatorID), "plan": 0,
            "previousSession": nil, "registeredTime": nil, "serialNumber": "SOR00000000000", "sessionStatus": session,
            "simId": .string(simID), "speedClass": .string(shown ?? speedClass), "status": "active",
            "subscription": .string(subscription), "tags": ["name": "router"], "terminationEnabled": false,
            "type": .string(shown ?? speedClass),
        ]
    }

    /// A `Sim`: its subscriber is one level down.
    func sim(class shown: String? = nil) -> JSONValue {
        [
            "activeProfileId": .string(simID), "capabilities": ["data": true, "sms": false],
            "createdTime": 1_600_000_000_000, "expiryAction": nil, "expiryTime": nil, "groupId": nil, "imeiLock": nil,
            "lastModifiedTime": 1_700_000_000_000, "lastPortMappingCreatedTime": nil, "localInfo": [:],
            "moduleType": "nano", "operatorId": .string(SoracomState.operatorID), "previousSession": nil,
            "profiles": .object([
                .init(
                    simID,
                    [
                        "iccid": .string(simID), "primaryImsi": .string(imsi),
                        "subscribers": .object([
                            .init(
                                imsi,
                                [
                                    "imsi": .string(imsi), "status": "active", "subscription": .string(subscription),
                                ])
                        ]),
                    ])
            ]),
            "serialNumber": "SOR00000000000", "sessionStatus": session, "simId": .string(simID),
            "speedClass": .string(shown ?? speedClass), "status": "active", "tags": ["name": "router"],
            "terminationEnabled": false, "type": "uicc",
        ]
    }

    /// One `AirStatsResponse` with the bytes of each class.
    func stats(until end: String?) -> JSONValue {
        let map = traffic.sorted { $0.key < $1.key }.map { name, bytes in
            JSONValue.Member(
                name,
                [
                    "uploadByteSizeTotal": .integer(bytes.upload), "downloadByteSizeTotal": .integer(bytes.download),
                    "uploadPacketSizeTotal": .integer(bytes.upload / 500),
                    "downloadPacketSizeTotal": .integer(bytes.download / 500),
                ])
        }
        let moment = end.flatMap { Int64($0) } ?? 0
        return [
            [
                "date": .string(rfc3339(moment * 1_000_000_000)), "unixtime": .integer(moment),
                "dataTrafficStatsMap": .object(map),
            ]
        ]
    }

    private var session: JSONValue {
        let address = addresses.sorted().first
        return [
            "dnsServers": address == nil ? nil : ["100.127.0.53", "100.127.1.53"], "imei": nil, "imsi": .string(imsi),
            "lastUpdatedAt": 1_700_000_000_000, "online": .bool(address != nil), "subscription": .string(subscription),
            "ueIpAddress": JSONValue(address), "vpgId": nil,
        ]
    }
}
