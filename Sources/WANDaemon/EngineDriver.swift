package import LinuxIO
package import WANEngine
package import WANModel

/// Hands the engine its inputs, one after the other, does what it says in the order that the laws ask for, and wakes it at its
/// deadlines.
///
/// What is met on the way (a probe that could not be sent, counters) comes back as further inputs, never in the middle of the
/// outputs of another.
package final class EngineDriver {
    package private(set) var engine: Engine
    /// Reads every answer that waits in a socket; they come by `hear`.
    package var readAnswers: () -> Void = {}
    /// What moves packets, in its order, and since when its cause was known.
    package var move: ([EngineOutput], Moment) -> Void = { _, _ in }
    /// What is told to files, the log and the courier.
    package var tell: ([EngineOutput]) -> Void = { _ in }
    /// Each time when no input waits any more.
    package var onRest: () -> Void = {}

    private let loop: EventLoop
    private let clock: () -> Moment
    private var answers: [AnswerReport] = []
    private var inputs: [(input: EngineInput, since: Moment?)] = []
    private var isBusy = false
    private var wake: (deadline: Int64, timer: EventLoop.Timer)?

    package init(_ engine: Engine, loop: EventLoop, clock: @escaping () -> Moment) {
        self.engine = engine
        self.loop = loop
        self.clock = clock
    }

    /// - Parameter since: When its cause was known, where that was before now.
    package func feed(_ input: EngineInput, since: Moment? = nil) {
        inputs.append((input, since))
        run()
    }

    package func hear(_ reports: [AnswerReport]) {
        answers += reports
        run()
    }

    /// What arises meanwhile waits for the next input.
    package func hold(_ body: () -> Void) {
        let wasBusy = isBusy
        isBusy = true
        body()
        isBusy = wasBusy
    }

    /// Hands in what somebody else may still refuse: if the body throws, the engine is what it was. Right after another input, so
    /// that no answer waits.
    ///
    /// - Returns: What the engine said, for `obey`.
    package func attempt<Refusal: Error>(
        _ input: EngineInput, _ body: () throws(Refusal) -> Void
    ) throws(Refusal) -> [EngineOutput] {
        let former = engine
        let outputs = engine.handle(input, at: clock())
        do throws(Refusal) { try body() } catch {
            engine = former
            throw error
        }
        return outputs
    }

    /// First what moves packets; then what is told: no disk, log or service may hold a switch up.
    package func obey(_ outputs: [EngineOutput], since: Moment? = nil) {
        guard !outputs.isEmpty else { return }
        move(outputs.filter(\.movesPackets), since ?? clock())
        tell(outputs.filter { !$0.movesPackets })
    }

    private func run() {
        guard !isBusy else { return }
        isBusy = true
        while let next = nextInput() { obey(engine.handle(next.input, at: next.at), since: next.since) }
        isBusy = false
        onRest()
        arm()
    }

    /// Each input lets time pass. So what waits in a socket is heard first where a probe may be called lost, and before all else.
    private func nextInput() -> (input: EngineInput, at: Moment, since: Moment?)? {
        if answers.isEmpty, inputs.isEmpty { return nil }
        let now = clock()
        if let deadline = engine.nextDeadline, deadline <= now { readAnswers() }
        guard answers.isEmpty else {
            defer { answers = [] }
            return (.answered(answers), now, nil)
        }
        let next = inputs.removeFirst()
        return (next.input, now, next.since)
    }

    private func arm() {
        let deadline = engine.nextDeadline?.nanoseconds
        guard deadline != wake?.deadline else { return }
        if let timer = wake?.timer { loop.cancel(timer) }
        wake = deadline.map { deadline in
            (
                deadline,
                loop.schedule(at: deadline) { [weak self] in
                    self?.wake = nil
                    self?.feed(.deadlineReached)
                }
            )
        }
    }
}
