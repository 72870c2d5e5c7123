internal import Glibc
internal import LinuxIO
internal import Synchronization

/// The life of one lab: all of it that is outside this process, from its directory to the removal of its last namespace.
///
/// Whoever starts a program in a lab asks its life, which refuses once the lab ends. So everything made is known at every moment,
/// and `end` can come at any of them and from any thread: when it returns, nothing of the lab is left and nothing comes after.
/// It ends with the object at the latest. What a killed process leaves, `StaleLabs.sweep()` removes.
package final class LabLife: Sendable {
    let id: String
    private let directory: LabDirectory
    private let state = Mutex(State())
    /// Whether all is removed; held by who removes it, for the others to wait.
    private let isOver = Mutex(false)

    private struct State {
        var isEnding = false
        var programs: [(namespace: String?, child: Child)] = []
        var logs = 0
        var parts = Parts()
    }

    /// What of the lab lives in this process.
    struct Parts: Sendable {
        var wires: LoopThread<Wires>?
        var starter: LoopThread<Void>?
        var content: ContentServer?
    }

    /// A lab that has a directory, and nothing else yet.
    static func begin(_ wanted: String?) throws(LabError) -> LabLife { LabLife(try LabDirectory.claim(wanted)) }

    private init(_ directory: consuming LabDirectory) {
        id = directory.id
        self.directory = directory
    }

    deinit {
        // There is nobody left to tell; what could not be removed, the next lab's sweep meets again.
        do { try end() } catch { writeError("wanctl-lab: \(error)\n") }
    }

    // MARK: its parts

    func add(_ change: (inout Parts) -> Void) throws(LabError) {
        try state.withLock { state throws(LabError) in
            guard !state.isEnding else { throw LabError("build the lab \(id)", "it is down") }
            change(&state.parts)
        }
    }

    var parts: Parts { state.withLock { $0.parts } }

    // MARK: its programs

    /// Starts a program inside a namespace and leaves it running. Without a `logPath` its output goes to a file of the lab's `log`
    /// directory that has this label in its name.
    func spawn(
        in namespace: String, _ arguments: [String], environment: [String: String], logPath: String?, label: String
    ) throws(LabError) -> Child {
        let words = Spawn.words(for: arguments, in: namespace)
        let environment = environment.merging(mark) { $1 }
        return try start(in: namespace, arguments) { state in
            guard let starter = state.parts.starter else { throw LabError("", "the lab is not built yet") }
            state.logs += 1
            let log = logPath ?? "\(directory.path)/log/\(state.logs)-\(label)"
            // On the lab's own thread: the death signal of a child comes when the thread that started it ends.
            return try starter.perform { _ in
                try Child.start(words, logPath: log, environment: environment)
            }
        }
    }

    /// Runs a program to its end; it need not succeed. Where the lab ends meanwhile, so does the program.
    func run(
        _ arguments: [String], in namespace: String? = nil, input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> CommandResult {
        try Command.run(arguments, in: namespace, input: input, atMost: limit, environment: mark) { make in
            try start(in: namespace, arguments) { _ in try make() }
        }
    }

    /// Runs a program that must succeed; its standard output.
    @discardableResult
    func mustRun(
        _ arguments: [String], in namespace: String? = nil, input: String = "", atMost limit: Duration = .seconds(20)
    ) throws(LabError) -> String {
        try Command.output(of: arguments, try run(arguments, in: namespace, input: input, atMost: limit))
    }

    /// SIGKILL for all programs in a namespace.
    func killPrograms(in namespace: String) {
        let children = state.withLock { state in
            let children = state.programs.filter { $0.namespace == namespace }.map(\.child)
            state.programs.removeAll { $0.namespace == namespace }
            return children
        }
        for child in children { child.kill() }
    }

    /// By this a program is known as the lab's before it is in a namespace of the lab.
    private var mark: [String: String] { [Remains.mark: id] }

    /// Under the lock: a program that is started before the end is known to it, and none is started after.
    private func start(
        in namespace: String?, _ arguments: [String], _ make: (inout State) throws -> Child
    ) throws(LabError) -> Child {
        try state.withLock { state throws(LabError) in
            let what = "run \(arguments.joined(separator: " "))"
            guard !state.isEnding else { throw LabError(what, "the lab is down") }
            let child = try doing(what) { try make(&state) }
            state.programs.removeAll { !$0.child.isRunning }
            state.programs.append((namespace, child))
            return child
        }
    }

    // MARK: its end

    /// Ends every program, removes the namespaces and files. Who comes second returns when the first has done it.
    func end() throws(LabError) {
        try isOver.withLock { isOver throws(LabError) in
            if isOver { return }
            try takeDown()
            isOver = true
        }
    }

    private func takeDown() throws(LabError) {
        let (children, parts) = state.withLock { state in
            defer {
                state.programs = []
                state.parts = Parts()
            }
            state.isEnding = true
            return (state.programs.map(\.child), state.parts)
        }
        for child in children { child.signal(SIGTERM) }
        let deadline = Clock.boottime() + 2_000_000_000
        for child in children { _ = child.wait(atMost: .nanoseconds(max(0, deadline - Clock.boottime()))) }
        for child in children { child.kill() }
        parts.content?.stop()
        parts.starter?.stop()
        parts.wires?.stop()
        let gate = try doing("take down \(id)") { try LabDirectory.gate() }
        try Remains.remove(of: id)
        directory.remove()
        withExtendedLifetime(gate) {}
    }
}
