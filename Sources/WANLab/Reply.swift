internal import CLinux
internal import Glibc
internal import LinuxIO
internal import Synchronization

/// A value one thread waits for and another gives, once; later gifts are ignored.
final class Reply<Value: Sendable>: Sendable {
    private let ready: WakeUp
    private let value = Mutex<Value?>(nil)

    init() throws(SystemCallError) { ready = try WakeUp() }

    func give(_ gift: Value) {
        let first = value.withLock { value in
            if value != nil { return false }
            value = gift
            return true
        }
        if first { ready.ring() }
    }

    func wait() -> Value {
        while true {
            if let gift = value.withLock({ $0 }) { return gift }
            _ = ready.wait(until: .max)
        }
    }
}

/// The lowest priority of SCHED_FIFO for the calling thread; where we may not, it stays as it is.
func becomeUrgent() {
    var parameters = sched_param()
    parameters.sched_priority = 1
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
}

/// Lets so much time pass (poll(2) on nothing).
func pause(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }
