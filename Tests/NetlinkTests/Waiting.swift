import Glibc
import LinuxIO

/// Asks `body` again, whenever the descriptor is readable, until it has what the test waits for; `nil` after the deadline.
func wait<Value>(
    on descriptor: Int32, seconds: Int64 = 5, until body: () throws -> Value?
) rethrows -> Value? {
    let deadline = Clock.boottime() + seconds * 1_000_000_000
    while true {
        if let value = try body() { return value }
        let left = (deadline - Clock.boottime()) / 1_000_000
        if left <= 0 { return nil }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, Int32(left))
    }
}
