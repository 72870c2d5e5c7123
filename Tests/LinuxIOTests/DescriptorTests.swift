import Glibc
import LinuxIO
import Testing

@Suite("OwnedDescriptor")
struct DescriptorTests {
    @Test("is closed when its owner goes, and not before")
    func closes() throws {
        let pipe = try Pipe()
        let reading = pipe.reading.raw
        func hold(_ descriptor: consuming OwnedDescriptor) throws {
            #expect(try take(reading) == nil)
            _ = descriptor.raw
        }
        let copy = try pipe.writing.duplicate()
        try hold(copy)
        #expect(try take(reading) == nil, "the duplicate took the original with it")
        #expect(try readAfterLettingGo(of: pipe) == [], "still open")
    }

    private func readAfterLettingGo(of pipe: consuming Pipe) throws -> [UInt8]? {
        let reading = try pipe.reading.duplicate()
        _ = consume pipe
        return try take(reading.raw)
    }

    @Test("one that was given away stays open")
    func release() throws {
        let pipe = try Pipe()
        let raw = try pipe.writing.duplicate().release()
        #expect(fcntl(raw, F_GETFD) != -1)
        let owner = OwnedDescriptor(taking: raw)
        #expect(owner.raw == raw)
    }

    @Test("a duplicate is another number for the same file, and is not passed on to programs")
    func duplicate() throws {
        let pipe = try Pipe()
        let copy = try pipe.reading.duplicate()
        #expect(copy.raw != pipe.reading.raw)
        #expect(fcntl(copy.raw, F_GETFD) & FD_CLOEXEC != 0)
        try pipe.put("through the other")
        #expect(try take(copy.raw) == Array("through the other".utf8))
    }

    @Test("moved to a number, it is there and no longer where it was")
    func moved() throws {
        let pipe = try Pipe()
        let number: Int32 = 700
        let copy = try pipe.reading.duplicate().moved(to: number)
        #expect(copy.raw == number)
        #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        let same = try copy.moved(to: number)
        #expect(same.raw == number)
        #expect(fcntl(number, F_GETFD) != -1)
    }

    @Test("set so, reading does not wait")
    func nonBlocking() throws {
        let pipe = try Pipe()
        try pipe.reading.setNonBlocking()
        var byte: UInt8 = 0
        #expect(read(pipe.reading.raw, &byte, 1) == -1 && errno == EAGAIN)
    }

    @Test("a number that is no open file cannot be duplicated")
    func bad() {
        #expect(throws: SystemCallError(call: "fcntl(2) F_DUPFD_CLOEXEC", errno: EBADF)) {
            _ = try OwnedDescriptor(taking: -1).duplicate().raw
        }
    }
}
