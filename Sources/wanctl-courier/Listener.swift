import Glibc
import LinuxIO

/// The courier's socket where no systemd listens at it: a process of its own for each connection, as with `Accept=yes`
/// (systemd.socket(5)), so that an errand that hangs holds up nobody and what one has heard the next one does not know.
final class Listener {
    /// As many at once, and each for so many seconds, as the units allow.
    private static let most = 16
    private static let longest: Int64 = 60

    private final class Errand {
        let process: ChildProcess
        var watch: EventLoop.Watch?
        var timer: EventLoop.Timer?
        init(_ process: consuming ChildProcess) { self.process = process }
    }

    private let loop: EventLoop
    private let socket: ServiceSocket
    private let arguments: [String]
    private var errands: [Int32: Errand] = [:]

    init(_ path: String, _ options: Options) throws {
        arguments = options.forErrand
        socket = try ServiceSocket.listen(at: path, for: options.clientNumber()) { log(.warning, $0) }
        loop = try EventLoop()
    }

    func run() throws {
        _ = try loop.watch(socket.descriptor.raw) { [unowned self] _ in
            do {
                while let connection = try socket.accept() { try start(connection) }
            } catch {
                log(.warning, "a request is lost: \(error)")
            }
        }
        try loop.run()
    }

    /// Where there are too many the caller is hung up on.
    private func start(_ connection: consuming OwnedDescriptor) throws {
        guard errands.count < Self.most else {
            return log(.warning, "a request is refused: \(errands.count) are served already")
        }
        let errand = Errand(
            try ChildProcess(siblingProgram("wanctl-courier"), arguments, input: .descriptor(connection.raw)))
        let pid = errand.process.pid
        errand.watch = try loop.watch(errand.process.ended.raw) { [unowned self] _ in end(pid) }
        errand.timer = loop.schedule(at: Clock.boottime() + Self.longest * 1_000_000_000) { [unowned self] in
            log(.warning, "an errand takes longer than \(Self.longest) s and is ended")
            end(pid)
        }
        errands[pid] = errand
    }

    /// It is killed where it still runs, and reaped.
    private func end(_ pid: Int32) {
        guard let errand = errands.removeValue(forKey: pid) else { return }
        if let watch = errand.watch { loop.remove(watch) }
        if let timer = errand.timer { loop.cancel(timer) }
    }
}
