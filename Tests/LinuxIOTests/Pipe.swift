import Glibc
import LinuxIO

/// Two ends of a pipe(2), to make a descriptor ready and to notice that one was closed.
struct Pipe: ~Copyable {
    var reading: OwnedDescriptor
    var writing: OwnedDescriptor

    init() throws(SystemCallError) {
        var ends: [Int32] = [-1, -1]
        _ = try checked("pipe(2)") { pipe(&ends) }
        // A child that another test starts at this moment must not hold an end open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = OwnedDescriptor(taking: ends[0])
        writing = OwnedDescriptor(taking: ends[1])
    }

    func put(_ text: String = "x") throws(SystemCallError) {
        let bytes = Array(text.utf8)
        let raw = writing.raw
        _ = try checked("write(2)") { write(raw, bytes, bytes.count) }
    }
}

/// What can be read without waiting; empty at the end of the stream, `nil` where there is nothing.
func take(_ descriptor: Int32) throws(SystemCallError) -> [UInt8]? {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard try checked("poll(2)", "", { poll(&ready, 1, 0) }) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = try checked("read(2)") { read(descriptor, &bytes, bytes.count) }
    return Array(bytes[..<count])
}
