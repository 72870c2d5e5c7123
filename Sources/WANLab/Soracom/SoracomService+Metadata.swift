extension SoracomService {
    /// The metadata service: not in the specification, but its schemas are.
    ///
    /// The address that a request comes from is the SIM's credential. A request from another address means that somebody asked
    /// through the wrong line, which is noted as a violation: the real service cannot even be reached so.
    func metadataReply(
        to request: HTTPServerRequest, _ call: inout SoracomCall, _ state: inout SoracomState
    ) -> HTTPServerReply {
        let reading = "/v1/subscriber"
        let updating = "/v1/subscriber/update_speed_class"
        switch (request.method, request.path) {
        case ("GET", reading): call.operation = .metadataGet
        case ("POST", updating): call.operation = .metadataUpdate
        case (_, reading), (_, updating):
            state.violate("metadata: \(request.method) \(request.path): the path has no such method")
            return .refusal(405, "LAB0405", "No such method.")
        default:
            state.violate("metadata: \(request.method) \(request.path): there is no such path")
            return .refusal(404, "LAB0404", "No such path.")
        }
        guard let operation = call.operation else { return .refusal(404, "LAB0404", "No such path.") }
        let faults = metadataFaults(request, operation)
        if !faults.isEmpty {
            for fault in faults { state.violate("metadata: \(request.method) \(request.path): \(fault)") }
            return .refusal(400, "LAB0400", faults.joined(separator: "; "))
        }
        guard let place = state.place(source: request.source) else {
            state.violate(
                "metadata: \(request.method) \(request.path): from \(request.source), which is no SIM's address")
            return .refusal(403, "LAB0403", "Not from a SIM.")
        }
        let fault = state.takeFault(for: operation)
        if let refusal = fault.flatMap(HTTPServerReply.init(refusing:)) { return refusal }
        // How the real service refuses is not known.
        switch state.metadata {
        case .off: return HTTPServerReply(status: 404, type: "text/plain", "metadata service is disabled")
        case .readOnly where operation == .metadataUpdate:
            return .refusal(403, "LAB0403", "The metadata service is read-only.")
        default: break
        }
        if operation == .metadataUpdate, let wanted = call.speedClass {
            guard state.sims[place].classes.contains(wanted) else {
                return .refusal(400, "LAB0400", "The subscription has no speed class \(wanted).")
            }
            if fault?.keptClass == nil { state.sims[place].speedClass = wanted }
        }
        return HTTPServerReply.json(state.sims[place].subscriber(class: fault?.keptClass)).spoilt(by: fault)
    }

    /// Judged as the API's operation of the same body, without keys.
    private func metadataFaults(_ request: HTTPServerRequest, _ operation: SoracomOperation) -> [String] {
        var twin = request
        twin.path = operation == .metadataGet ? "/v1/subscribers/0" : "/v1/subscribers/0/update_speed_class"
        var faults = request.headers.filter { $0.name.lowercased().hasPrefix("x-soracom-") }
            .map { "header \($0.name): has no business in a request in the clear" }
        guard case .operation(_, _, let found) = specification.judge(twin) else {
            return ["the specification lacks it"]
        }
        faults += found.filter { !$0.hasPrefix("header X-Soracom-") }
        return faults
    }
}
