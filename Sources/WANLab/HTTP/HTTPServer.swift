package import LinuxIO
internal import Synchronization

/// A small HTTP/1.1 server on a thread of its own, for laboratories: it answers as told, badly too.
///
/// Its listeners are opened by whoever starts it, so that each can live in another network namespace.
package final class HTTPServer: Sendable {
    /// A way in, and who answers there; called on the server's thread.
    package final class Door: Sendable {
        let listener: TCPListener
        let answer: @Sendable (HTTPServerRequest) -> HTTPServerReply
        package var port: UInt16 { listener.port }

        package init(
            _ listener: consuming TCPListener, answer: @escaping @Sendable (HTTPServerRequest) -> HTTPServerReply
        ) {
            self.listener = listener
            self.answer = answer
        }
    }

    enum Command: Sendable {
        case watch(Door)
        case closeConnections(Door, Receipt)
        case stop
    }

    /// Rung when a command has been obeyed.
    final class Receipt: Sendable {
        let bell: WakeUp
        init() throws(SystemCallError) { bell = try WakeUp() }
    }

    /// What the server and its thread share; the thread does not hold the server, whose end is what stops it.
    final class Inbox: Sendable {
        private let commands = Mutex<[Command]>([])
        let bell: WakeUp

        init() throws(SystemCallError) { bell = try WakeUp() }

        func put(_ command: Command) {
            commands.withLock { $0.append(command) }
            bell.ring()
        }

        func take() -> [Command] {
            bell.answer()
            return commands.withLock { commands in
                defer { commands = [] }
                return commands
            }
        }
    }

    private let inbox: Inbox
    private let thread: WorkerThread

    package init() throws(SystemCallError) {
        let inbox = try Inbox()
        self.inbox = inbox
        thread = try WorkerThread { HTTPServerLoop.run(inbox) }
    }

    deinit {
        inbox.put(.stop)
        thread.join()
    }

    package func serve(_ door: Door) { inbox.put(.watch(door)) }

    /// When this returns who comes to this door is refused (RST), and who was inside is thrown out. Not from a door's answer.
    package func close(_ door: Door) throws(SystemCallError) {
        try door.listener.refuse()
        // Waited for, or a door that is soon opened again would throw out who came in since.
        let receipt = try Receipt()
        inbox.put(.closeConnections(door, receipt))
        _ = receipt.bell.wait(until: Clock.boottime() + 5_000_000_000)
    }

    package func reopen(_ door: Door) throws(SystemCallError) {
        try door.listener.listen()
        inbox.put(.watch(door))
    }
}
