import Glibc
import LinuxIO
import Testing
import WANControl

@Suite("the control socket's file")
struct SocketFileTests {
    @Test("the file is for root and the group, and nobody else may connect")
    func mode() throws {
        let world = try ControlWorld()
        try world.serve(access: ControlAccess(daemonUser: 0, group: 4242))
        var status = stat()
        #expect(lstat(world.path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o660)
        #expect(status.st_gid == 4242)
    }

    @Test("a socket that a killed daemon left is taken over")
    func stale() throws {
        let world = try ControlWorld()
        do { _ = try UnixStream.listen(at: world.path, backlog: 1) }  // closed without unlink, as by SIGKILL
        #expect(Files.exists(world.path))
        try world.serve()
        let client = try world.client()
        try client.send(#"{"verb":"why"}"# + "\n")
        try world.wait("answer") {
            try client.read(); return client.lines.count == 1
        }
    }

    @Test("a second daemon is refused, and the first one goes on")
    func second() throws {
        let world = try ControlWorld()
        try world.serve()
        #expect(throws: ControlServerError.inUse(path: world.path)) { try world.serve() }
        let client = try world.client()
        try client.send(#"{"verb":"why"}"# + "\n")
        try world.wait("answer") {
            try client.read(); return client.lines.count == 1
        }
    }

    @Test("another program's listening socket is left alone")
    func foreign() throws {
        let world = try ControlWorld()
        let foreign = try UnixStream.listen(at: world.path, backlog: 4)
        #expect(throws: ControlServerError.inUse(path: world.path)) { try world.serve() }
        #expect(Files.exists(world.path))
        #expect(try UnixStream.accept(from: foreign) != nil)
    }

    @Test("a file that is no socket is never removed")
    func ordinaryFile() throws {
        let world = try ControlWorld()
        try Files.replace(world.path, with: Array("precious".utf8))
        #expect(throws: ControlServerError.self) { try world.serve() }
        #expect(try Files.text(world.path) == "precious")
    }

    @Test("a daemon that stops late does not take its successor's socket away")
    func successor() throws {
        let world = try ControlWorld()
        try world.serve()
        Files.remove(world.path)
        let other = try UnixStream.listen(at: world.path, backlog: 1)
        world.server?.stop()
        #expect(Files.exists(world.path))
        _ = consume other
    }

    @Test(
        "a path that is too long or empty is an error, not a crash",
        arguments: ["", String(repeating: "a", count: 300)])
    func badPath(path: String) throws {
        let loop = try EventLoop()
        #expect(throws: ControlServerError.self) {
            try ControlServer(path: path, loop: loop, access: ControlAccess(daemonUser: 0, group: nil)) { _, _, _ in }
        }
        #expect(throws: ControlRefusal.self) { _ = try ControlClient(path: path) }
    }

    @Test("the group is found in /etc/group's form")
    func groups() throws {
        let world = try ControlWorld()
        let file = world.directory + "/group"
        try Files.replace(
            file, with: Array("root:x:0:\nwanctlx:x:7:\nwanctl:x:991:anna,ben\nbroken\nodd:x:many:\n".utf8))
        #expect(try Accounts.group(named: "wanctl", in: file) == 991)
        #expect(try Accounts.group(named: "nobody", in: file) == nil)
        #expect(try Accounts.group(named: "odd", in: file) == nil)
    }
}
