internal import CLinux
internal import Glibc
internal import LinuxIO
internal import Synchronization

/// A value one thread waits for and another gives, once; later gifts are ignored.
final class Reply<Value: Sendable>: Sendable {
    private let ready: OwnedDescriptor
    private let value = Mutex<Value?>(nil)

    init() throws(SystemCallError) { ready = try eventDescriptor(blocking: true) }

    func give(_ gift: Value) {
        let first = value.withLock { value in
            if value != nil { return false }
            value = gift
            return true
        }
        if first { signal(ready) }
    }

    func wait() -> Value {
        while true {
            if let gift = value.withLock({ $0 }) { return gift }
            clear(ready)
        }
    }
}

/// eventfd(2).
func eventDescriptor(blocking: Bool) throws(SystemCallError) -> OwnedDescriptor {
    let flags = Int32(EFD_CLOEXEC) | (blocking ? 0 : Int32(EFD_NONBLOCK))
    return OwnedDescriptor(taking: try checked("eventfd(2)") { eventfd(0, flags) })
}

func signal(_ event: borrowing OwnedDescriptor) {
    var one: UInt64 = 1
    _ = write(event.raw, &one, 8)
}

func clear(_ event: borrowing OwnedDescriptor) {
    var count: UInt64 = 0
    _ = read(event.raw, &count, 8)
}

/// pthread_create(3); the caller joins it.
func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) -> pthread_t {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var thread = pthread_t()
    let retained = Unmanaged.passRetained(Body(body))
    let problem = pthread_create(
        &thread, nil,
        { raw in
            if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
            return nil
        }, retained.toOpaque())
    if problem != 0 {
        retained.release()
        throw SystemCallError(call: "pthread_create(3)", errno: problem)
    }
    return thread
}

/// The lowest priority of SCHED_FIFO for the calling thread; where we may not, it stays as it is.
func becomeUrgent() {
    var parameters = sched_param()
    parameters.sched_priority = 1
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
}

/// Lets so much time pass (poll(2) on nothing).
func pause(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }
