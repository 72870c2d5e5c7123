package import LinuxIO

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

    private let thread: LoopThread<HTTPServerLoop>

    package init() throws(LabError) {
        thread = try LoopThread("the HTTP server") { HTTPServerLoop($0) }
    }

    package func serve(_ door: Door) throws(LabError) { try thread.perform { try $0.watch(door) } }

    /// When this returns who comes to this door is refused (RST), and who was inside is thrown out. Not from a door's answer.
    package func close(_ door: Door) throws(LabError) {
        try doing("close a door") { try door.listener.refuse() }
        // Waited for, or a door that is soon opened again would throw out who came in since.
        try thread.perform { $0.close(door) }
    }

    package func reopen(_ door: Door) throws(LabError) {
        try doing("open a door again") { try door.listener.listen() }
        try serve(door)
    }
}
