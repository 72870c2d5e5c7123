import Glibc
import LinuxIO
import WANRecorder

/// The recorder's life: a socket, the disk, and SIGTERM.
@main
enum Main {
    static func main() {
        let options: Options
        do {
            options = try Options(Array(CommandLine.arguments.dropFirst()))
        } catch {
            say("\(error.text)\n\(Options.usage)")
            exit(64)
        }
        do {
            SignalReader.ignoreFailedWrites()
            try serve(options)
        } catch {
            say("\(error)")
            exit(1)
        }
    }

    private static func serve(_ options: Options) throws {
        let loop = try EventLoop()
        let signals = try SignalReader([SIGTERM, SIGINT])
        _ = try loop.watch(signals.descriptor.raw) { _ in loop.stop() }
        try Files.makeDirectory(options.directory, mode: 0o750)
        let service = RecorderService(loop: loop, directory: options.directory) { say($0) }
        let user = try options.clientUser()
        let listener =
            try ServiceSocket.handedOver(environmentVariables(), for: user, onRefusal: say)
            ?? ServiceSocket.listen(at: options.socket, for: user, onRefusal: say)
        _ = try loop.watch(listener.descriptor.raw) { _ in
            do {
                while let socket = try listener.accept() { try service.serve(socket) }
            } catch {
                say("a connection is not taken: \(error)")
            }
        }
        try loop.run()
        service.end()
    }

    private static func say(_ text: String) {
        let line = Array("wanctl-recorder: \(text)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
