internal import Glibc
internal import JSONText
internal import LinuxIO
internal import NetworkTypes
internal import WANControl

/// How acts happen, and how they are healed.
extension ChaosWorld {
    /// Makes it happen; what the system said to it, or nothing. Throws where the system did what it must not.
    func perform(_ act: ChaosAct) throws(LabError) -> String {
        switch act {
        case .line(let line, let words):
            if case .set(let fault) = try FaultCommand(words: words.split(separator: " ").map(String.init)) {
                try lab.setFault(line, fault)
            }
            return ""
        case .target(let address, let words, let line):
            let health = try TargetHealth(words: words.split(separator: " ").map(String.init))
            try lab.setTarget(address, health, over: line)
            return ""
        case .renumber(let line):
            try (lab as? Lab)?.renumber(line, to: line.otherAddress)
            return ""
        case .stranger(let name, let deed): return try run(deed.rawValue, on: try box(name))
        case .order(let name, let words): return try order(words, on: try box(name))
        case .policy(let name, let edit): return try change(edit, on: try box(name))
        case .daemon(let name, let deed): return try perform(deed, on: try box(name))
        case .disk(let name, let disk):
            try box(name).disks[disk]?.fill()
            return ""
        case .helper(let name, let deed):
            let daemon = try box(name).daemon
            switch deed {
            case .recorderHangs: daemon.signalRecorder(SIGSTOP)
            case .recorderKilled: daemon.signalRecorder(SIGKILL)
            case .courierKilled: daemon.killCourier()
            }
            return ""
        case .soracom(let trouble):
            try make(trouble)
            return ""
        case .keepalived(let name, let deed): return try perform(deed, on: try box(name))
        case .cable(let name, let state):
            if let site, let node = try box(name).node { try site.setCable(node, state) }
            return ""
        case .power(let name):
            if let site, let node = try box(name).node { try site.powerOff(node) }
            return ""
        }
    }

    /// What was hurt is as it was; what the system said to it, or nothing.
    func heal(_ wound: ChaosWound) throws(LabError) -> String {
        switch wound {
        case .line(let line): try lab.clearFaults(line)
        case .address(let line): try (lab as? Lab)?.renumber(line, to: line.address)
        case .targets:
            for target in LabAddress.targets { try lab.setTarget(target, .alive) }
        case .stranger(let name, let deed): return try run(deed.undoing(on: name) ?? "", on: try box(name))
        case .orders(let name): return try takeBackOrders(on: try box(name))
        case .policy(let name):
            let box = try box(name)
            let answer = try box.daemon.reload(policy: box.policy)
            guard case .result = answer else {
                throw LabError("have the daemon take its first policy again", answer.sentence)
            }
        case .daemon(let name): try box(name).daemon.restart { _ in true }
        case .hang(let name): try box(name).daemon.signal(SIGCONT)
        case .disk(let name, let disk): try box(name).disks[disk]?.relieve()
        case .helpers(let name):
            let daemon = try box(name).daemon
            daemon.signalRecorder(SIGCONT)
            try daemon.startHelpers()
        case .soracom:
            try soracom.service.healAll()
            soracom.service.setMetadata(.writable)
        case .keepalived(let name): try startKeepalived(on: try box(name))
        case .cable(let name):
            if let site, let node = try box(name).node { try site.setCable(node, .connected) }
        case .power(let name): try boot(try box(name))
        }
        return ""
    }

    /// A script of another program.
    private func run(_ script: String, on box: Box) throws(LabError) -> String {
        try run(["sh", "-c", script, "stranger", box.disks[.run]?.path ?? ""], on: box)
    }

    // MARK: the operator

    /// As it is typed; some commands would go on for long, and Ctrl-C ends these.
    private func order(_ words: String, on box: Box) throws(LabError) -> String {
        let command = ["timeout", "--signal=INT", "2", siblingProgram("wanctl"), "--socket", box.daemon.socketPath]
        return try run(command + words.split(separator: " ").map(String.init), on: box)
    }

    private func takeBackOrders(on box: Box) throws(LabError) -> String {
        var requests = [ControlRequest.auto, .speed(uplink: LabUplink.soracom.rawValue, speedClass: nil)]
        requests += scene.lines.map { .enable(uplink: $0.rawValue) }
        var refusals: [String] = []
        for request in requests {
            // A box refuses what concerns another one's line.
            if case .refused(let refusal) = try box.daemon.ask(request) { refusals.append(refusal.reason) }
        }
        return refusals.joined(separator: " / ")
    }

    /// Where a daemon runs it is told, and must take the good ones and no other.
    private func change(_ edit: PolicyEdit, on box: Box) throws(LabError) -> String {
        let daemon = box.daemon
        try doing("change \(daemon.policyPath)") {
            if let text = edit.applied(to: box.policy) {
                try Files.replace(daemon.policyPath, with: text)
            } else {
                Files.remove(daemon.policyPath)
            }
        }
        guard daemon.isRunning else { return "no daemon runs" }
        let answer = try daemon.ask(.reload)
        let isTaken = if case .result = answer { true } else { false }
        guard isTaken == edit.isGood else {
            throw LabError("have the policy \"\(edit.rawValue)\" \(edit.isGood ? "taken" : "refused")", answer.sentence)
        }
        return answer.sentence
    }

    // MARK: programs

    private func perform(_ deed: DaemonDeed, on box: Box) throws(LabError) -> String {
        let daemon = box.daemon
        switch deed {
        case .kill:
            daemon.kill()
            return try ended(box, "signal", "KILL")
        case .terminate:
            guard let status = daemon.terminate() else {
                throw LabError(
                    "end the daemon of \(box.name.rawValue)", "it did not end within five seconds of SIGTERM")
            }
            return try "\(status) \(ended(box, "success", "0"))"
        case .restart: try daemon.restart { _ in true }
        case .crash:
            daemon.kill()
            let said = try ended(box, "signal", "SEGV")
            try daemon.restart { _ in true }
            return said
        case .hang: daemon.signal(SIGSTOP)
        case .succeed:
            daemon.signal(SIGSTOP)
            try daemon.succeed()
        case .cleanUp: return try wanctld(["--cleanup"], on: box)
        case .handOver: return try wanctld(["--hand-over"], on: box)
        }
        return ""
    }

    /// What the unit runs after each end of the daemon (ExecStopPost=).
    private func ended(_ box: Box, _ result: String, _ status: String) throws(LabError) -> String {
        try wanctld(["--ended"], on: box, ["SERVICE_RESULT=\(result)", "EXIT_STATUS=\(status)"])
    }

    private func wanctld(_ words: [String], on box: Box, _ variables: [String] = []) throws(LabError) -> String {
        try run(["env"] + variables + [siblingProgram("wanctld"), "--socket", box.daemon.socketPath] + words, on: box)
    }

    private func perform(_ deed: KeepalivedDeed, on box: Box) throws(LabError) -> String {
        switch deed {
        case .kill: box.keepalived?.kill()
        case .stop: box.keepalived?.stop()
        case .restart:
            box.keepalived?.stop()
            try startKeepalived(on: box)
        case .reload: box.keepalived?.reload()
        }
        return ""
    }

    /// Nothing of what ran and stood in /run is left; the disk is.
    private func boot(_ box: Box) throws(LabError) {
        guard let site, let node = box.node else { return }
        box.disks[.run]?.clear()
        try site.powerOn(node)
        try box.daemon.restart { _ in true }
        try startKeepalived(on: box)
    }

    // MARK: SORACOM

    private func make(_ trouble: SoracomTrouble) throws(LabError) {
        let service = soracom.service
        /// For whatever it is asked.
        func fail(_ operations: some Sequence<SoracomOperation>, _ fault: SoracomFault) {
            for operation in operations { service.fail(operation, with: fault) }
        }
        let refusal = SoracomFault.status(500, code: "LAB0500", message: "The laboratory is out of order.")
        let all = SoracomOperation.allCases
        switch trouble {
        case .metadataOff: service.setMetadata(.off)
        case .metadataReadOnly: service.setMetadata(.readOnly)
        case .metadataClosed: try service.setRefusing(metadata: true)
        case .apiClosed: try service.setRefusing(api: true)
        case .apiHangs: fail(SoracomOperation.api, .hang)
        case .apiFails: fail(SoracomOperation.api, refusal)
        case .allFail: fail(all, refusal)
        case .allReset: fail(all, .reset)
        case .allAnswersCut: fail(all, .dropMidAnswer)
        case .tooManyRequests: fail(all, .tooManyRequests(secondsBeforeRefresh: 3))
        case .keepsClass: fail(all, .keepsClass("s1.slow"))
        case .strangeAnswers: fail(all, .strangeMembers)
        case .tokensForgotten: service.forgetTokens()
        }
    }
}

extension LabUplink {
    /// Another one that its provider may give.
    var otherAddress: IPv4Address { IPv4Address(bits: address.bits &+ 40) }
}

extension ControlAnswer {
    /// What the daemon said, for people.
    var sentence: String {
        switch self {
        case .result(let value): value["done"]?.string ?? value.text
        case .end: "done"
        case .refused(let refusal): ([refusal.reason] + refusal.details.prefix(1)).joined(separator: " / ")
        }
    }
}
