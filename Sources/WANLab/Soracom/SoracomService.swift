internal import JSONText
package import LinuxIO
internal import Synchronization

/// A SORACOM of one's own: the API and the metadata service as their specification has them, with faults on demand.
///
/// Requests are judged against SORACOM's OpenAPI document; what it refuses is refused and noted in `violations`, which a
/// test expects to stay empty. All methods may be called from any thread.
package final class SoracomService: Sendable {
    let state: Mutex<SoracomState>
    let specification: OpenAPI
    private let server: HTTPServer
    private let doors = Mutex<Doors>(([], []))
    private let changes: WakeUp

    private typealias Doors = (api: [HTTPServer.Door], metadata: [HTTPServer.Door])
    private typealias Replying =
        @Sendable (SoracomService, HTTPServerRequest, inout SoracomCall, inout SoracomState) -> HTTPServerReply

    package init(sims: [SoracomSIM], authKeys: [String: String]) throws {
        state = Mutex(SoracomState(sims: sims, authKeys: authKeys))
        specification = try OpenAPI.soracom()
        server = try HTTPServer()
        changes = try WakeUp()
    }

    /// Opens the API here; its base address is `http://ADDRESS:PORT`, without `/v1`.
    package func serveAPI(at listener: consuming TCPListener) throws(LabError) {
        try serve(at: listener, \.api) { $0.apiReply(to: $1, &$2, &$3) }
    }

    /// Opens the metadata service here.
    package func serveMetadata(at listener: consuming TCPListener) throws(LabError) {
        try serve(at: listener, \.metadata) { $0.metadataReply(to: $1, &$2, &$3) }
    }

    private func serve(
        at listener: consuming TCPListener, _ kind: WritableKeyPath<Doors, [HTTPServer.Door]>,
        _ reply: @escaping Replying
    ) throws(LabError) {
        let door = HTTPServer.Door(listener) { [weak self] request in self?.answer(request, by: reply) ?? .goingAway }
        doors.withLock { $0[keyPath: kind].append(door) }
        try server.serve(door)
    }

    // What the world does to it.

    /// Does this wrong the next `times` times it is asked for one of the operations; faults queue up.
    package func fail(_ operations: SoracomOperation..., with fault: SoracomFault, times: Int = .max) {
        state.withLock { state in
            for operation in operations { state.faults[operation, default: []].append((fault, times)) }
        }
    }

    package func healAll() throws(LabError) {
        state.withLock { $0.faults = [:] }
        try setRefusing(api: false, metadata: false)
    }

    /// Closes (or opens again) the ports.
    package func setRefusing(api: Bool? = nil, metadata: Bool? = nil) throws(LabError) {
        let (apiDoors, metadataDoors) = doors.withLock { $0 }
        for (wanted, doors) in [(api, apiDoors), (metadata, metadataDoors)] {
            guard let wanted else { continue }
            for door in doors { wanted ? try server.close(door) : try server.reopen(door) }
        }
    }

    package func setMetadata(_ setting: SoracomMetadataSetting) { state.withLock { $0.metadata = setting } }

    /// Tokens given out so far are refused from now on as expired.
    package func expireTokens() {
        state.withLock { state in
            for key in state.sessions.keys { state.sessions[key]?.expires = 0 }
        }
    }

    /// Tokens given out so far were never heard of.
    package func forgetTokens() { state.withLock { $0.sessions = [:] } }

    /// The modem got other addresses.
    package func setAddresses(_ addresses: Set<String>, ofSIM id: String) {
        changeSIM(id) { $0.addresses = addresses }
    }

    /// Somebody else (the console, an event handler) changed the class.
    package func setSpeedClass(_ name: String, ofSIM id: String) {
        changeSIM(id) { $0.speedClass = name }
    }

    package func changeSIM(_ id: String, _ change: (inout SoracomSIM) -> Void) {
        state.withLock { state in
            if let place = state.place(sim: id) { change(&state.sims[place]) }
        }
        changes.ring()
    }

    // What can be seen from outside.

    package var calls: [SoracomCall] { state.withLock { $0.calls } }
    /// What the specification has no room for, in the words of the place that offends.
    package var violations: [String] { state.withLock { $0.violations } }
    /// Keys and tokens that must be seen nowhere but in requests.
    package var secrets: [String] {
        state.withLock { state in
            Array(state.authKeys.values) + state.sessions.flatMap { [$0.key, $0.value.token] }
        }
    }
    package func speedClass(ofSIM id: String) -> String? {
        state.withLock { state in state.place(sim: id).map { state.sims[$0].speedClass } }
    }

    /// Waits until a claim about the service is true, at the latest until `Clock.boottime` reaches the deadline. For one
    /// waiting thread at a time.
    package func wait(until deadline: Int64, _ claim: (SoracomService) -> Bool) -> Bool {
        while true {
            changes.answer()
            if claim(self) { return true }
            if !changes.wait(until: deadline) { return claim(self) }
        }
    }

    private func answer(_ request: HTTPServerRequest, by reply: Replying) -> HTTPServerReply {
        defer { changes.ring() }
        return state.withLock { state in
            var call = SoracomCall(
                moment: Clock.boottime(), operation: nil, method: request.method, path: request.path,
                source: request.source, status: nil, speedClass: nil)
            if let body = try? JSONValue(parsing: request.body) { call.speedClass = body["speedClass"]?.string }
            let reply = reply(self, request, &call, &state)
            call.status = reply.manner == .never || reply.manner == .reset ? nil : reply.status
            state.record(call)
            return reply
        }
    }
}
