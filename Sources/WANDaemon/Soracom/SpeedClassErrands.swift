internal import LinuxIO
internal import WANControl
internal import WANEngine
internal import WANModel

/// What the courier carries to SORACOM and back: classes that are wanted, those of SIMs that left the policy, and tokens.
final class SpeedClassErrands {
    struct SIM {
        var uplink: Uplink
        var settings: SoracomSettings
    }

    var onAnswer: (UplinkNumber, SpeedClassAnswer) -> Void = { _, _ in }
    var onLowered: (_ uplink: String, _ text: String) -> Void = { _, _ in }
    private let courier: CourierClient
    private let loop: EventLoop
    private let log: Log
    private let alarms: Alarms
    private var inForce: PolicyInForce
    private var tokenTimer: EventLoop.Timer?

    init(loop: EventLoop, log: Log, alarms: Alarms, _ inForce: PolicyInForce, courierSocket: String) {
        self.loop = loop
        self.log = log
        self.alarms = alarms
        self.inForce = inForce
        courier = CourierClient(loop: loop, path: courierSocket)
    }

    /// Takes a policy in. What it no longer has is lowered by `lower`.
    func adopt(_ inForce: PolicyInForce) { self.inForce = inForce }

    func stop() { courier.stop() }

    // MARK: classes

    /// For all ways of one request together. A sign-in over a line at 32 kbps takes some seconds.
    private static let limit: Int64 = 20_000_000_000

    func set(_ number: UplinkNumber, to speedClass: String) {
        guard let uplink = inForce.uplink(number), let sim = sim(uplink) else { return }
        ask(sim, for: speedClass) { [weak self] answer in self?.onAnswer(number, answer) }
    }

    private func sim(_ uplink: Uplink) -> SIM? {
        uplink.soracom.map { SIM(uplink: uplink, settings: $0) }
    }

    private func request(_ id: Int64, _ verb: CourierRequest.Verb, _ sim: SIM) -> CourierRequest {
        var request = CourierRequest(
            id: id, verb: verb, uplink: sim.uplink.name, interface: sim.uplink.interface, settings: sim.settings)
        request.timeout = .nanoseconds(Self.limit)
        return request
    }

    private func ask(_ sim: SIM, for speedClass: String, _ answer: @escaping (SpeedClassAnswer) -> Void) {
        let identity = sim.settings.identity.map { "\($0)" } ?? ""
        courier.ask(
            { [unowned self] id in
                var request = request(id, .setSpeedClass, sim)
                request.speedClass = speedClass
                return request
            }, on: "\(sim.uplink.interface) \(identity)", timeout: Self.limit
        ) { reply, reason in
            switch reply?.outcome {
            case .speedClass(let confirmed, let via)?: answer(.confirmed(confirmed, via: via.rawValue))
            case .failed(let text, let retryAfter, let permanent)?:
                answer(.failed(text, retryAfter: retryAfter, permanent: permanent))
            case .prepared?: answer(.failed("the courier answered another question", retryAfter: nil, permanent: false))
            case nil: answer(.failed(reason, retryAfter: nil, permanent: false))
            }
        }
    }

    // MARK: SIMs that a reload takes away

    /// SIMs of the policy in force that a new one no longer has and that may be on the fast class: nobody else would ever lower them.
    ///
    /// - Parameter state: What the engine knows of the class of an uplink.
    func sims(missingIn after: Policy, _ state: (UplinkNumber) -> UplinkView.SpeedClass?) -> [SIM] {
        inForce.uplinks.compactMap { number, uplink in
            guard let sim = sim(uplink),
                !after.uplinks.contains(where: {
                    $0.soracom != nil && $0.soracom?.identity == sim.settings.identity
                        && $0.interface == uplink.interface
                })
            else { return nil }
            let known = state(number)
            let isLow = known?.confirmed == sim.settings.standby && known?.wanted == sim.settings.standby
            return isLow ? nil : sim
        }
    }

    /// Asks until SORACOM confirms the standby class, ever more slowly.
    func lower(_ sim: SIM, attempt: Int = 0) {
        let (name, standby) = (sim.uplink.name, sim.settings.standby)
        ask(sim, for: standby) { [weak self] answer in
            guard let self else { return }
            if case .confirmed(standby, _) = answer {
                onLowered(name, "\(standby) confirmed for the SIM that left the policy")
                return
            }
            let pause = min(Int64(10) << Int64(min(attempt, 6)), 600)
            log(
                .warning,
                "\(name) left the policy and may still be on the expensive class: \(answer), again in \(pause) s")
            loop.schedule(at: Clock.boottime() + pause * 1_000_000_000) { [weak self] in
                self?.lower(sim, attempt: attempt + 1)
            }
        }
    }

    // MARK: tokens

    /// Signs in to the API before that is urgent, and again at half the token's life.
    func prepareToken() {
        if let tokenTimer { loop.cancel(tokenTimer) }
        tokenTimer = nil
        alarms.clear { if case .token = $0 { true } else { false } }
        let sims = inForce.uplinks.compactMap { number, uplink in sim(uplink).map { (number, $0) } }
            .filter { $0.1.settings.via.contains(.api) }
        guard !sims.isEmpty else { return }
        // Tokens live two days and are renewed at half their life. First, for an answer may come at once and want it sooner.
        scheduleToken(after: 3600)
        for (number, sim) in sims {
            courier.ask(
                { [unowned self] id in request(id, .prepare, sim) }, on: nil, timeout: Self.limit
            ) { [weak self] answer, _ in
                switch answer?.outcome {
                case .prepared?: self?.alarms.clear(.token(number))
                case .failed(let text, _, _)?:
                    self?.alarms.raise(.token(number), "no SORACOM API token for \(sim.uplink.name): \(text)")
                // Nothing is known of the key.
                default: self?.scheduleToken(after: 10)
                }
            }
        }
    }

    private func scheduleToken(after seconds: Int64) {
        if let tokenTimer { loop.cancel(tokenTimer) }
        tokenTimer = loop.schedule(at: Clock.boottime() + seconds * 1_000_000_000) { [weak self] in
            self?.prepareToken()
        }
    }
}
