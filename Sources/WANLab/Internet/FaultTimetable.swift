internal import LinuxIO

/// Faults of a lab that come and go by the clock, on a thread of their own: an outage of exactly a second, a line that flaps.
package final class FaultTimetable: Sendable {
    package enum Act: Hashable, Sendable {
        case set(Fault)
        /// The line as it was built, as by `Lab.clearFaults`; an interface that is gone comes back.
        case clear
    }

    package struct Step: Hashable, Sendable {
        /// After the start of the timetable.
        package var at: Duration
        package var uplink: LabUplink
        package var act: Act

        package init(at: Duration, _ uplink: LabUplink, _ act: Act) {
            self.at = at
            self.uplink = uplink
            self.act = act
        }
    }

    private let thread: LoopThread<Session>
    private let done: Reply<Result<[Int64], LabError>>

    /// Starts now; steps are taken in the order of their times, those of the same time in the order given.
    package static func start(_ steps: [Step], in lab: Lab) throws(LabError) -> FaultTimetable {
        let done = try doing("start the faults") { try Reply<Result<[Int64], LabError>>() }
        return FaultTimetable(
            try LoopThread("the faults", urgent: true) { loop in Session(on: loop, steps, in: lab, done) }, done)
    }

    private init(_ thread: LoopThread<Session>, _ done: Reply<Result<[Int64], LabError>>) {
        self.thread = thread
        self.done = done
    }

    /// Waits for the last step; the moments at which the steps took effect (`Clock.boottime`).
    @discardableResult
    package func finish() throws(LabError) -> [Int64] { try done.wait().get() }
}

extension FaultTimetable.Step {
    /// The fault for a time, and then the line as it was built.
    package static func outage(
        of uplink: LabUplink, by fault: Fault = .blackhole(), from start: Duration = .zero, lasting length: Duration
    ) -> [Self] {
        [Self(at: start, uplink, .set(fault)), Self(at: start + length, uplink, .clear)]
    }

    /// Down and up again, so many times.
    package static func flapping(
        _ uplink: LabUplink, times: Int, down: Duration, up: Duration, by fault: Fault = .blackhole()
    ) -> [Self] {
        (0..<times).flatMap { outage(of: uplink, by: fault, from: (down + up) * $0, lasting: down) }
    }
}

extension Lab {
    /// The line answers nothing for exactly that long, beginning now; returns when it does again.
    package func blackHole(_ uplink: LabUplink, for length: Duration) throws(LabError) {
        try FaultTimetable.start(FaultTimetable.Step.outage(of: uplink, lasting: length), in: self).finish()
    }
}

/// The timetable on its thread.
private final class Session {
    private let loop: EventLoop
    private let lab: Lab
    private let start = Clock.boottime()
    private var steps: ArraySlice<FaultTimetable.Step>
    private var moments: [Int64] = []
    private let done: Reply<Result<[Int64], LabError>>

    init(
        on loop: EventLoop, _ steps: [FaultTimetable.Step], in lab: Lab, _ done: Reply<Result<[Int64], LabError>>
    ) {
        self.loop = loop
        self.lab = lab
        self.done = done
        // sort(by:) is stable in this standard library, but does not promise it.
        self.steps =
            steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)[...]
        wait()
    }

    private func wait() {
        guard let step = steps.first else { return done.give(.success(moments)) }
        loop.schedule(at: start + step.at.nanoseconds) { [unowned self] in take(step) }
    }

    private func take(_ step: FaultTimetable.Step) {
        do throws(LabError) {
            switch step.act {
            case .set(let fault): moments.append(try lab.setFault(step.uplink, fault))
            case .clear:
                try lab.clearFaults(step.uplink)
                moments.append(Clock.boottime())
            }
            steps.removeFirst()
            wait()
        } catch {
            done.give(.failure(error))
        }
    }
}
