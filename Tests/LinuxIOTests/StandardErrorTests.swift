import Glibc
import LinuxIO
import Testing

@Suite("lines to standard error")
struct StandardErrorTests {
    private func count(_ lost: Int) -> String { "\(lost) lost" }

    @Test("a reader that does not read costs lines and no time, and hears how many", arguments: ["pipe", "socket"])
    func stuck(kind: String) throws {
        var ends: [Int32] = [0, 0]
        if kind == "pipe" {
            #expect(pipe(&ends) == 0)
        } else {
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        }
        let reading = OwnedDescriptor(taking: ends[0])
        let writing = OwnedDescriptor(taking: ends[1])
        let error = StandardError(writing.raw)
        let line = String(repeating: "x", count: 999)
        while error.lost < 3 { error.write(line, notice: count) }
        // The others who have the same open file still wait for their reader.
        #expect(fcntl(writing.raw, F_GETFL) & O_NONBLOCK == 0)
        try reading.setNonBlocking()
        var room = [UInt8](repeating: 0, count: 1 << 20)
        #expect(read(reading.raw, &room, room.count) > 0)
        error.write("next", notice: count)
        var text = ""
        while true {
            let size = read(reading.raw, &room, room.count)
            if size <= 0 { break }
            text += String(decoding: room[..<size], as: UTF8.self)
        }
        #expect(text.hasSuffix("3 lost\nnext\n"))
        #expect(error.lost == 0)
    }

    @Test("a reader that is gone is no signal and no end")
    func gone() throws {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        close(ends[0])
        let writing = OwnedDescriptor(taking: ends[1])
        let error = StandardError(writing.raw)
        error.write("x", notice: count)
        #expect(error.lost == 1)
    }
}
