internal import LinuxIO
internal import WANControl
internal import WANEngine
internal import WANModel

/// What the courier carries to SORACOM and back.
extension Daemon {
    /// For all ways of one request together. A sign-in over a line at 32 kbps takes some seconds.
    private static let limit: Int64 = 20_000_000_000

    func setSpeedClass(of uplink: UplinkNumber, to speedClass: String) {
        guard let settings = self.uplink(uplink), let soracom = settings.soracom else { return }
        ask(settings, soracom, credentials: credentials(soracom), for: speedClass) { [weak self] answer in
            self?.feed(.speedClass(uplink, answer))
        }
    }

    func credentials(_ soracom: SoracomSettings) -> String? {
        soracom.credentials.map {
            Daemon.credentialPath($0, policyPath: loaded.path, environment: environmentVariables())
        }
    }

    private func ask(
        _ settings: Uplink, _ soracom: SoracomSettings, credentials: String?, for speedClass: String,
        _ answer: @escaping (SpeedClassAnswer) -> Void
    ) {
        courier.ask(
            { id in
                var request = CourierRequest(
                    id: id, verb: .setSpeedClass, uplink: settings.name, interface: settings.interface,
                    settings: soracom, credentials: credentials)
                request.speedClass = speedClass
                request.timeout = .nanoseconds(Self.limit)
                return request
            }, on: "\(settings.interface) \(soracom.identity.map { "\($0)" } ?? "")", timeout: Self.limit
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

    /// SIMs that the new policy no longer has and that may be on the dear class: nobody else would ever lower them.
    func formerSIMs(before: Policy, after: Policy) -> [(Uplink, SoracomSettings, credentials: String?)] {
        before.uplinks.compactMap { uplink in
            guard let soracom = uplink.soracom,
                !after.uplinks.contains(where: {
                    $0.soracom != nil && $0.soracom?.identity == soracom.identity && $0.interface == uplink.interface
                })
            else { return nil }
            let known = numbers[uplink.name].flatMap { engine.view(of: $0, at: Daemon.moment())?.speedClass }
            guard known?.confirmed != soracom.standby || known?.wanted != soracom.standby else { return nil }
            return (uplink, soracom, credentials(soracom))
        }
    }

    /// Asks until SORACOM confirms the standby class, ever more slowly.
    func lower(_ sim: (Uplink, SoracomSettings, credentials: String?), attempt: Int = 0) {
        let (uplink, soracom, credentials) = sim
        ask(uplink, soracom, credentials: credentials, for: soracom.standby) { [weak self] answer in
            guard let self else { return }
            if case .confirmed(soracom.standby, _) = answer {
                note(
                    kind: "speed", uplink: uplink.name, "\(soracom.standby) confirmed for the SIM that left the policy")
                if let credentials { formerCredentials.remove(credentials) }
                return
            }
            let pause = min(Int64(10) << Int64(min(attempt, 6)), 600)
            log(
                .warning,
                "\(uplink.name) left the policy and may still be on the dear class: \(answer), again in \(pause) s")
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
        let uplinks = policy.uplinks.filter { $0.soracom?.via.contains(.api) == true }
        guard !uplinks.isEmpty else { return }
        for settings in uplinks {
            guard let soracom = settings.soracom, let number = numbers[settings.name] else { continue }
            let credentials = credentials(soracom)
            courier.ask(
                { id in
                    var request = CourierRequest(
                        id: id, verb: .prepare, uplink: settings.name, interface: settings.interface, settings: soracom,
                        credentials: credentials)
                    // Requests are served one after the other: this one must not hold up a change of class for long.
                    request.timeout = .nanoseconds(Self.limit / 2)
                    return request
                }, on: nil, timeout: Self.limit / 2
            ) { [weak self] answer, reason in
                switch answer?.outcome {
                case .prepared?: self?.alarms.clear(.token(number))
                case .failed(let text, _, _)?:
                    self?.alarms.raise(.token(number), "no SORACOM API token for \(settings.name): \(text)")
                // The courier gave way or died: nothing is known of the key.
                default: self?.scheduleToken(after: 10)
                }
            }
        }
        // Tokens live two days and are renewed at half their life.
        scheduleToken(after: 3600)
    }

    private func scheduleToken(after seconds: Int64) {
        if let tokenTimer { loop.cancel(tokenTimer) }
        tokenTimer = loop.schedule(at: Clock.boottime() + seconds * 1_000_000_000) { [weak self] in
            self?.prepareToken()
        }
    }
}
