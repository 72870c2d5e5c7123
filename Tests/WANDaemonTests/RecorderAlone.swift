import LinuxIO
import TestSupport
import WANDaemon

extension Recorder {
    /// One of whose socket nobody listens.
    static func alone(_ loop: EventLoop, _ directory: borrowing TemporaryDirectory) -> Recorder {
        let alarms = Alarms(log: Log(hasPrefix: false, isVerbose: false))
        return Recorder(
            loop: loop, alarms: alarms, directory: directory.path, besides: "\(directory.path)/wanctl.sock", run: "test"
        )
    }
}
