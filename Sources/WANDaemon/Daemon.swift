internal import LinuxIO
internal import Nftables
internal import PacketWire
internal import WANControl
internal import WANDataplane
internal import WANEngine
internal import WANModel
internal import WANProbes

/// The daemon: one thread, one loop, one engine, and the wires between them and the world.
///
/// The path of a fault: a descriptor or the timer wakes the loop → an input with its moment → `EngineDriver` → `Engine.handle`
/// → its outputs, in order, to the kernel, the probes, the courier and the journal.
final class Daemon {
    let options: DaemonOptions
    let node: String
    let loop: EventLoop
    let log: Log
    let service: ServiceManager
    let prober: Prober
    let switches: SwitchLedger
    let recorder: Recorder
    let names: NameServers
    let errands: SpeedClassErrands
    private var control: ControlServer?

    private(set) var inForce: PolicyInForce
    /// While a kept policy stands in for the file's.
    private(set) var substitute: StartPolicy.Substitute?
    let driver: EngineDriver
    let attachments: Attachments
    let router: KernelRouter
    let flows: FlowMover
    let alarms: Alarms

    let watchers: Watchers
    let probeRequests: ProbeRequests
    let drainWatch: DrainWatch
    let site: SiteLink
    private var isReleasePlanned = false
    let startedAt = Timestamp.now()

    static func moment() -> Moment { Moment(nanoseconds: Clock.boottime()) }

    var engine: Engine { driver.engine }
    func feed(_ input: EngineInput) { driver.feed(input) }
    var loaded: LoadedPolicy { inForce.loaded }
    var policy: Policy { inForce.policy }
    var numbers: [String: UplinkNumber] { inForce.numbers }
    func name(_ number: UplinkNumber) -> String { inForce.name(of: number) }
    func uplink(_ number: UplinkNumber) -> Uplink? { inForce.uplink(number) }

    /// Takes the kernel as it finds it: routes of an earlier run go on carrying traffic until there is evidence against them.
    init(options: DaemonOptions, _ start: StartPolicy, environment: [String: String]) throws {
        let loaded = start.loaded
        self.options = options
        substitute = start.substitute
        node = options.nodeName
        log = Log(hasPrefix: environment["JOURNAL_STREAM"] != nil, isVerbose: options.isVerbose)
        alarms = Alarms(log: log)
        service = ServiceManager(environment: environment)
        loop = try EventLoop()
        let kernel = try KernelAccess()
        attachments = Attachments { kernel.isWireless($0) }
        router = try KernelRouter(kernel: kernel, attachments: attachments, loop: loop, log: log, alarms: alarms)
        flows = FlowMover(kernel: kernel, attachments: attachments, loop: loop, log: log, alarms: alarms)
        prober = Prober(loop: loop)
        names = NameServers(loop: loop, alarms: alarms, besides: options.socket)
        site = SiteLink(loop: loop, log: log, alarms: alarms, besides: options.socket)
        drainWatch = DrainWatch(loop: loop)
        watchers = Watchers(loop: loop)
        probeRequests = ProbeRequests(loop: loop)
        recorder = Recorder(
            loop: loop, alarms: alarms, directory: options.stateDirectory, besides: options.socket,
            run: try Daemon.runName())
        if let problem = recorder.problem { log(.warning, problem) }
        inForce = PolicyInForce(loaded, remembered: recorder.state.numbers)
        errands = SpeedClassErrands(
            loop: loop, log: log, alarms: alarms, inForce, courierSocket: options.courierSocket)
        let (now, unixSeconds) = (Daemon.moment(), Clock.realtime() / 1_000_000_000)
        let adopted = Daemon.adopted(router.picture, policy: loaded.policy, numbers: inForce.numbers)
        driver = EngineDriver(
            Engine(
                setup: EngineSetup(policy: loaded.policy, numbers: inForce.numbers), adopted: adopted,
                memory: recorder.memory(inForce.numbers, now: now, unixSeconds: unixSeconds), at: now),
            loop: loop, clock: Daemon.moment)
        switches = SwitchLedger(loop: loop, routed: driver.engine.decision.share)
    }

    /// What tells this run of the daemon from all others.
    private static func runName() throws(SystemCallError) -> String {
        var entropy = Entropy()
        return String(try entropy.next(), radix: 16)
    }

    /// The uplink that the best default found in our table leads to.
    private static func adopted(
        _ picture: KernelPicture, policy: Policy, numbers: [String: UplinkNumber]
    ) -> UplinkNumber? {
        let best = picture.found.routes.values.filter { $0.key.table == Ownership.selected }
            .min { $0.key.metric < $1.key.metric }
        guard let best, let link = picture.links[best.interface] else { return nil }
        return policy.uplinks.first { $0.interface == link.name }.flatMap { numbers[$0.name] }
    }

    // MARK: the loop

    /// Runs until SIGTERM or SIGINT.
    func run(_ reign: Reign) throws {
        let signals = try SignalReader([15, 2, 1])
        let signalWatch = try loop.watch(signals.descriptor.raw) { [weak self] _ in self?.readSignals(signals) }
        try begin()
        reign.serves()
        try loop.run()
        reign.isEnding()
        loop.remove(signalWatch)
        end()
    }

    private func readSignals(_ signals: borrowing SignalReader) {
        while let signal = signals.next() {
            if signal == 1 {
                reload(because: "SIGHUP")
            } else {
                log(.info, "signal \(signal): ending; routes and NAT stand")
                loop.stop()
            }
        }
    }

    private func begin() throws {
        // First of all, because it is also the lock: a second daemon must not touch a route.
        control = try ControlServer(path: options.socket, loop: loop, access: try ControlAccess.ofThisProcess()) {
            [weak self] request, peer, reply in self?.answer(request, peer, reply)
        }
        watchers.status = { [unowned self] in snapshot().status.json }
        alarms.onChange = { [watchers] in watchers.statusHasChanged() }
        obeyEngine()
        routeAsDecided()
        errands.onAnswer = { [unowned self] in feed(.speedClass($0, $1)) }
        errands.onLowered = { [unowned self] in note(.speed, uplink: $0, $1) }
        takeSite(recorder.state.handOver(now: Daemon.moment(), unixSeconds: Clock.realtime() / 1_000_000_000))
        // The table first: what is forwarded is translated.
        router.table.replace()
        prepareSysctls()
        proveSwitches()
        tellOfEvents()
        followNameServers()
        try router.watch { [unowned self] news in
            router.take(news)
            site.followAddress()
        }
        watchDrains()
        remember()
        for warning in loaded.warnings { log(.warning, warning) }
        note(.started, "wanctld \(wanctlVersion) started with \(loaded.path)")
        if let substitute { refuse(substitute.refusal, because: "start") }
        keepPolicy()
        service.notify("READY=1", "STATUS=\(summary())")
        beatWatchdog()
        site.confirmStable()
        errands.prepareToken()
        releaseStartupMemory()
    }

    /// Once things are calm after a start, a reload or a command: what only they needed of the code is given back.
    func releaseStartupMemory() {
        guard !isReleasePlanned else { return }
        isReleasePlanned = true
        loop.schedule(at: Clock.boottime() + 5_000_000_000) { [weak self] in
            self?.isReleasePlanned = false
            StartupMemory.release()
        }
    }

    private func end() {
        service.notify("STOPPING=1")
        control?.stop()
        site.end()
        errands.stop()
        remember()
        recorder.end()
    }

    private func beatWatchdog() {
        guard let interval = service.watchdogInterval else { return }
        service.notify("WATCHDOG=1")
        loop.schedule(at: Clock.boottime() + interval) { [weak self] in self?.beatWatchdog() }
    }

    // MARK: the engine

    /// Before the first input.
    private func obeyEngine() {
        driver.readAnswers = { [unowned self] in prober.drain() }
        driver.move = { [unowned self] in move($0, since: $1) }
        driver.tell = { [unowned self] in tell($0) }
        // A hold that ends changes no route, and how this box stands among others.
        driver.onRest = { [unowned self] in site.follow() }
        prober.onAnswers = { [unowned self] answers in
            driver.hear(
                answers.map { uplink, answer in
                    AnswerReport(
                        ProbeIdentity(uplink: uplink, target: answer.target, sequence: answer.sequence), rtt: answer.rtt
                    )
                })
            for (uplink, answer) in answers { probeRequests.answered(name(uplink), answer.target, answer.rtt) }
        }
    }

    // MARK: another policy

    /// Takes a policy in; where its table is refused nothing has changed.
    func adopt(_ fresh: LoadedPolicy) throws(NftablesError) {
        // A policy that took long to read makes no probe lost whose answer waits: it is read while the engine's policy is in force.
        feed(.deadlineReached)
        let outgoing = inForce
        router.beginExchange(of: dataplaneUplinks())
        let formerSIMs = errands.sims(missingIn: fresh.policy) { number in
            engine.view(of: number, at: Daemon.moment())?.speedClass
        }
        inForce = PolicyInForce(fresh, remembered: numbers, after: outgoing.policy)
        let (left, isMarkedAnew) = outgoing.left(for: inForce)
        let old = outgoing.numbers
        let dropped = attachments.drop(isMarkedAnew ? Array(old.values) : left)
        let outputs: [EngineOutput]
        do throws(NftablesError) {
            // All so far are values of ours. The table is the first that somebody else may refuse, and the last.
            outputs = try driver.attempt(.reload(EngineSetup(policy: policy, numbers: numbers))) {
                () throws(NftablesError) in try router.table.make()
            }
        } catch {
            inForce = outgoing
            attachments.restore(dropped)
            router.endExchange()
            throw error
        }
        for number in left {
            prober.detach(uplink: number)
            alarms.clear(.probing(number))
        }
        // What was pinned by the old bits is let go.
        if isMarkedAnew { flows.letGo(Array(old.values), in: outgoing) }
        errands.adopt(inForce)
        takeSite(site.role?.handOver)
        prepareSysctls()
        driver.hold { driver.obey(outputs) }
        refreshAttachments(isAll: true)
        router.endExchange()
        router.reconcile()
        router.table.replace()
        flows.letGo(left, in: outgoing)
        followDrains()
        followNameServers()
        remember()
        substitute = nil
        keepPolicy()
        for sim in formerSIMs { errands.lower(sim) }
        errands.prepareToken()
        releaseStartupMemory()
    }
}
