import HTTPTransfer
import LinuxIO
import Soracom
import WANControl
import WANModel

/// Takes a request, tries one way after the other, and says what became of it.
struct RequestHandler {
    private let profiles: Profiles
    private let cache: TokenCache
    private static let credentialsRetry = Duration.seconds(10)
    private var reportedWriteError: SystemCallError?

    init(profiles: Profiles, cache: TokenCache) {
        self.profiles = profiles
        self.cache = cache
    }

    mutating func answer(to line: [UInt8]) -> [UInt8] {
        let start = Clock.boottime()
        let id: Int64?
        let outcome: CourierAnswer.Outcome
        do {
            let request = try CourierRequest(line: line)
            id = request.id
            outcome = perform(request)
        } catch {
            id = nil
            outcome = .failed("the request cannot be read: \(error)", retryAfter: nil, permanent: true)
        }
        reportWriteError()
        return CourierAnswer(id: id, outcome: outcome, took: .nanoseconds(Clock.boottime() - start)).line
    }

    private func perform(_ request: CourierRequest) -> CourierAnswer.Outcome {
        let deadline = Deadline(in: request.timeout)
        do {
            switch request.verb {
            case .prepare:
                var client = try newClient()
                return .prepared(expiresAt: try api(for: request).prepare(by: deadline, over: &client).expires)
            case .setSpeedClass:
                let wanted = try wantedClass(of: request)
                return try set(wanted, for: request, by: deadline)
            }
        } catch {
            return .failed(error.text, retryAfter: error.retryAfter, permanent: error.isPermanent)
        }
    }

    /// Each way gets its share of the time; the failure names what each one said.
    private func set(
        _ wanted: SpeedClass, for request: CourierRequest, by deadline: Deadline
    ) throws(ServiceFailure) -> CourierAnswer.Outcome {
        var failures: [ServiceFailure] = []
        for (index, way) in request.via.enumerated() {
            do {
                let share = deadline.share(of: request.via.count - index)
                let state = try set(wanted, for: request, via: way, by: share)
                return .speedClass(state.speedClass.name, via: way)
            } catch {
                failures.append(error.from(way == .metadata ? "metadata service" : "SORACOM API"))
            }
        }
        throw ServiceFailure.all(failures)
    }

    private func set(
        _ wanted: SpeedClass, for request: CourierRequest, via way: SoracomSettings.Way, by deadline: Deadline
    ) throws(ServiceFailure) -> SIMState {
        var client = try newClient()
        switch way {
        case .metadata:
            return try metadata(for: request).updateSpeedClass(to: wanted, by: deadline, over: &client)
        case .api:
            return try api(for: request)
                .updateSpeedClass(of: try sim(of: request), to: wanted, by: deadline, over: &client)
        }
    }

    private func metadata(for request: CourierRequest) throws(ServiceFailure) -> MetadataService {
        try MetadataService(endpoint: request.metadataEndpoint, interface: request.interface)
    }

    private func api(for request: CourierRequest) throws(ServiceFailure) -> API {
        guard let name = request.credentials else { throw unusable("the policy names no credentials") }
        switch profiles[name] {
        case .success(let profile):
            return try API(profile: profile, endpoint: request.endpoint, cache: cache)
        case .failure(let fault):
            // Looking again is not SORACOM's business: the next errand reads a file that was mended.
            throw ServiceFailure(.configuration, "credentials: \(fault.text)", retryAfter: Self.credentialsRetry)
        }
    }

    private func sim(of request: CourierRequest) throws(ServiceFailure) -> SIMIdentity {
        switch request.identity {
        case .sim(let name): return .sim(name)
        case .imsi(let name): return .imsi(name)
        case nil: throw unusable("the policy names neither sim nor imsi")
        }
    }

    private func wantedClass(of request: CourierRequest) throws(ServiceFailure) -> SpeedClass {
        guard let name = request.speedClass, let wanted = SpeedClass(name) else {
            throw unusable("no speed class was asked for")
        }
        return wanted
    }

    /// A client for one way of one errand: no connection outlives the line it was made over.
    private func newClient() throws(ServiceFailure) -> HTTPClient {
        do { return try HTTPClient() } catch { throw ServiceFailure(error) }
    }

    private func unusable(_ text: String) -> ServiceFailure { ServiceFailure(.configuration, text, retryAfter: nil) }

    private mutating func reportWriteError() {
        if let error = cache.writeError, error != reportedWriteError {
            log(.warning, "token cache: \(error), tokens are lost when the courier leaves")
        }
        reportedWriteError = cache.writeError
    }
}
