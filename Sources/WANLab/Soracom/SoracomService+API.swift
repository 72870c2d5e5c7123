internal import JSONText
internal import LinuxIO

extension SoracomService {
    func apiReply(
        to request: HTTPServerRequest, _ call: inout SoracomCall, _ state: inout SoracomState
    ) -> HTTPServerReply {
        switch specification.judge(request) {
        case .noSuchPath:
            state.violate("\(request.method) \(request.path): the specification has no such path")
            return .refusal(404, "LAB0404", "No such path.")
        case .wrongMethod:
            state.violate("\(request.method) \(request.path): the path has no such method")
            return .refusal(405, "LAB0405", "No such method.")
        case .operation(let id, let parameters, let faults):
            guard let operation = SoracomOperation(rawValue: id) else {
                return .refusal(501, "LAB0501", "The laboratory does not do \(id).")
            }
            call.operation = operation
            if !faults.isEmpty {
                for fault in faults { state.violate("\(request.method) \(request.path): \(fault)") }
                let lacksKey = faults.contains { $0.hasPrefix("header X-Soracom") }
                return .refusal(lacksKey ? 401 : 400, "LAB0400", faults.joined(separator: "; "))
            }
            let fault = state.takeFault(for: operation)
            if let refusal = fault.flatMap(HTTPServerReply.init(refusing:)) { return refusal }
            if operation != .auth, let refusal = credentialRefusal(request, state) { return refusal }
            let reply = perform(operation, parameters, request, keeping: fault?.keptClass, &state)
            return reply.spoilt(by: fault)
        }
    }

    private func credentialRefusal(_ request: HTTPServerRequest, _ state: SoracomState) -> HTTPServerReply? {
        // The answer to a key that is not known is soracom-cli's, apiclient_test.go; that to an expired token is a guess.
        guard let session = request.header("X-Soracom-API-Key").flatMap({ state.sessions[$0] }),
            session.token == request.header("X-Soracom-Token")
        else { return HTTPServerReply(status: 400, type: "text/plain", "invalid api key") }
        return session.expires <= Clock.boottime() ? .refusal(401, "LAB0401", "The token has expired.") : nil
    }

    private func perform(
        _ operation: SoracomOperation, _ parameters: [String: String], _ request: HTTPServerRequest,
        keeping keptClass: String?, _ state: inout SoracomState
    ) -> HTTPServerReply {
        let body = (try? JSONValue(parsing: request.body)) ?? .null
        let place =
            parameters["sim_id"].flatMap { state.place(sim: $0) }
            ?? parameters["imsi"].flatMap { state.place(imsi: $0) }
        switch operation {
        case .auth: return signIn(body, &state)
        case .generateAuthToken:
            guard parameters["operator_id"] == SoracomState.operatorID else {
                return .refusal(400, "LAB0400", "Not this operator's token.")
            }
            let session = state.newSession(seconds: body["tokenTimeoutSeconds"]?.integer ?? 86_400)
            // The new token belongs to the old key.
            if let key = request.header("X-Soracom-API-Key") {
                state.sessions[key] = state.sessions.removeValue(forKey: session.apiKey)
            }
            return .json(["token": .string(session.token)])
        case .metadataGet, .metadataUpdate: return .refusal(404, "LAB0404", "Not here.")
        default: break
        }
        guard let place else { return .refusal(404, "LAB0404", "No such SIM found.") }
        if let wanted = body["speedClass"]?.string {
            guard state.sims[place].classes.contains(wanted) else {
                return .refusal(400, "LAB0400", "The subscription has no speed class \(wanted).")
            }
            if keptClass == nil { state.sims[place].speedClass = wanted }
        }
        switch operation {
        case .getSim, .updateSimSpeedClass: return .json(state.sims[place].sim(class: keptClass))
        case .getSubscriber, .updateSpeedClass: return .json(state.sims[place].subscriber(class: keptClass))
        default: return .json(state.sims[place].stats(until: request.query.first { $0.name == "to" }?.value))
        }
    }

    private func signIn(_ body: JSONValue, _ state: inout SoracomState) -> HTTPServerReply {
        // The schema makes nothing required, since there are three ways to sign in; the laboratory has AuthKeys only.
        guard let id = body["authKeyId"]?.string, let key = body["authKey"]?.string, state.authKeys[id] == key else {
            return .refusal(401, "AUM0001", "Authentication failed.")
        }
        let session = state.newSession(seconds: body["tokenTimeoutSeconds"]?.integer ?? 86_400)
        return .json([
            "apiKey": .string(session.apiKey), "operatorId": .string(SoracomState.operatorID),
            "token": .string(session.token), "userName": "wanctl",
        ])
    }
}
