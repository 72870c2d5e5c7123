import Glibc
import JSONText
import LinuxIO
import Testing
import WANControl

@Suite("the control server")
struct ControlServerTests {
    @Test("a request is answered, and the next one on the same connection too")
    func answers() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        try client.send(#"{"verb":"auto"}"# + "\n")
        try world.wait("first answer") {
            try client.read(); return client.lines.count == 1
        }
        try client.send(#"{"verb":"drain","arguments":{"uplink":"jcom"}}"# + "\r\n" + #"{"verb":"why"}"# + "\n")
        try world.wait("all answers") {
            try client.read(); return client.lines.count == 4
        }
        #expect(
            client.lines == [
                #"{"ok":true,"result":{"verb":"auto","arguments":{}}}"#,
                #"{"ok":true,"result":{"verb":"drain","arguments":{"uplink":"jcom"}}}"#, #"{"ok":true,"end":true}"#,
                #"{"ok":true,"result":{"verb":"why","arguments":{}}}"#,
            ])
    }

    @Test("requests sent in one piece are answered one after the other, in order")
    func pipelined() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        try client.send((1...200).map { #"{"verb":"history","arguments":{"count":\#($0)}}"# + "\n" }.joined())
        client.finishSending()
        try world.wait("the end") {
            try client.read(); return client.isClosed
        }
        let counts = try client.answers.map { answer -> Int64? in
            if case .result(let value) = answer { value["arguments"]?["count"]?.integer } else { nil }
        }
        #expect(counts == (1...200).map { Int64($0) })
    }

    @Test("who asks faster than is answered is not read ahead of, so that what waits is bounded")
    func flood() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        let request = Array((#"{"verb":"auto"}"# + "\n").utf8)
        let block = Array(repeatElement(request, count: 20_000).joined())
        var (rest, sent) = (block[...], 0)
        for _ in 0..<400 {
            let count = try client.send(Array(rest))
            sent += count
            rest = rest.count == count ? block[...] : rest.dropFirst(count)
            try world.loop.turn(timeout: 0)
            try client.read()
        }
        // The socket holds some 200 kB.
        #expect(sent - client.lines.count * request.count < 1 << 20)
    }

    @Test(
        "garbage gets an error line, and the connection is closed",
        arguments: [
            "\n", "hello\n", "{}\n", "[1,2]\n", #"{"verb":7}"# + "\n", #"{"verb":"format"}"# + "\n",
            #"{"verb":"auto","arguments":[]}"# + "\n", #"{"verb":"auto","arguments":{"now":true}}"# + "\n",
            #"{"verb":"auto","verb":"drain"}"# + "\n", "\u{0}\u{1}\u{2}\n", #"{"verb":"auto"} x"# + "\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", String(repeating: "[", count: 60_000) + "\n",
        ])
    func garbage(text: String) throws {
        let world = try ControlWorld()
        try world.serve()
        world.handler = { _, _, reply in
            Issue.record("garbage reached the handler")
            reply.finish()
        }
        let client = try world.client()
        try client.send(text)
        try world.wait("hang-up") {
            try client.read(); return client.isClosed
        }
        #expect(client.lines.count == 1)
        #expect(try client.refusalCode == .usage)
        try world.wait("the place to be free") { world.server?.clientCount == 0 }
    }

    @Test("bytes that are no UTF-8 are garbage too")
    func notText() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        try client.send([0x22, 0xff, 0xfe, 0xc0, 0x22, 10])
        try world.wait("hang-up") {
            try client.read(); return client.isClosed
        }
        #expect(try client.refusalCode == .usage)
    }

    @Test("a line longer than allowed is refused, whether or not it ends")
    func overlong() throws {
        let world = try ControlWorld()
        try world.serve()
        for end in ["", "\n"] {
            let client = try world.client()
            let flood = Array((#"{"verb":""# + String(repeating: "a", count: 70_000) + end).utf8)
            var sent = 0
            try world.wait("hang-up") {
                sent += try client.send(Array(flood[sent...]))
                try client.read()
                return client.isClosed
            }
            #expect(try client.refusalCode == .usage)
        }
    }

    @Test("half a request that never goes on is dropped, and so is a client that never asks")
    func halfLine() throws {
        let world = try ControlWorld()
        try world.serve { $0.idleNanoseconds = 50_000_000 }
        let half = try world.client()
        let mute = try world.client()
        try half.send(#"{"verb":"#)
        try world.wait("hang-up") {
            try half.read()
            try mute.read()
            return half.isClosed && mute.isClosed
        }
        #expect(try half.refusalCode == .usage)
        #expect(mute.lines.isEmpty)
        #expect(world.server?.clientCount == 0)
    }

    @Test("half a request and then the end of the stream is refused")
    func cutLine() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        try client.send(#"{"verb":"status"}"#)
        client.finishSending()
        try world.wait("hang-up") {
            try client.read(); return client.isClosed
        }
        #expect(try client.refusalCode == .usage)
    }

    @Test("of 100 clients at once, 32 are served and the others are asked to try again; root has eight places more")
    func manyClients() throws {
        let world = try ControlWorld()
        try world.serve()
        let limit = getuid() == 0 ? 40 : 32
        var clients: [RawClient] = []
        for index in 0..<100 {
            // connect(2) waits while the queue of the listener is full; let the server take some in.
            if index % 40 == 39 {
                try world.wait("the server to take them in") {
                    for client in clients { try client.read() }
                    return clients.count { !$0.lines.isEmpty } + (world.server?.clientCount ?? 0) == clients.count
                }
            }
            clients.append(try world.client())
        }
        try world.wait("the refusals") {
            for client in clients { try client.read() }
            return clients.count { $0.isClosed } == 100 - limit
        }
        #expect(world.server?.clientCount == limit)
        for client in clients where client.isClosed { #expect(try client.refusalCode == .tryAgain) }
        let served = clients.filter { !$0.isClosed }
        for client in served { try client.send(#"{"verb":"why"}"# + "\n") }
        try world.wait("the answers") {
            for client in served { try client.read() }
            return served.allSatisfy { $0.lines.count == 1 }
        }
        // The place of one that leaves goes to the next.
        clients.removeAll()
        try world.wait("the places to be free") { world.server?.clientCount ?? 0 <= served.count }
    }

    @Test("a place is free again when its client leaves")
    func placeIsFreed() throws {
        let world = try ControlWorld()
        try world.serve { $0.clients = 1 }
        var first: RawClient? = try world.client()
        try world.wait("first in") { world.server?.clientCount == 1 }
        #expect(first?.isClosed == false)
        first = nil
        try world.wait("first out") { world.server?.clientCount == 0 }
        let second = try world.client()
        try second.send(#"{"verb":"why"}"# + "\n")
        try world.wait("answer") {
            try second.read(); return second.lines.count == 1
        }
    }

    @Test("a client that does not read is dropped when it has left too much, and the others notice nothing")
    func slowReader() throws {
        let world = try ControlWorld()
        try world.serve()
        var streams: [ControlReply] = []
        var left = 0
        world.handler = { request, _, reply in
            guard request == .watch else { return reply.finish() }
            reply.onClose = { left += 1 }
            streams.append(reply)
        }
        let slow = try world.client()
        let quick = try world.client()
        try slow.send(#"{"verb":"watch"}"# + "\n")
        try quick.send(#"{"verb":"watch"}"# + "\n")
        try world.wait("two streams") { streams.count == 2 }
        let event = JSONValue.string(String(repeating: "x", count: 4000))
        var sent = 0
        try world.wait("the slow one to be dropped") {
            for stream in streams where stream.isOpen { stream.send(event) }
            sent += 1
            try quick.read()
            return left == 1
        }
        #expect(sent < 400, "the kernel's buffer and 256 KiB hold far fewer than \(sent) events of 4 kB")
        #expect(streams.filter(\.isOpen).count == 1)
        try world.wait("all events at the quick one") {
            try quick.read(); return quick.lines.count == sent
        }
        for stream in streams { stream.send(event) }
        try world.wait("one more") {
            try quick.read(); return quick.lines.count == sent + 1
        }
    }

    @Test("one answer larger than the bound still arrives whole")
    func largeAnswer() throws {
        let world = try ControlWorld()
        try world.serve()
        let large = String(repeating: "y", count: 3 << 20)
        world.handler = { _, _, reply in reply.finish(.string(large)) }
        let client = try world.client()
        try client.send(#"{"verb":"history"}"# + "\n" + #"{"verb":"history"}"# + "\n")
        try world.wait("two large answers") {
            try client.read(); return client.lines.count == 2
        }
        #expect(try client.answers == [.result(.string(large)), .result(.string(large))])
    }

    @Test("an answer may come later, and a client that left before is told of no more")
    func laterAnswer() throws {
        let world = try ControlWorld()
        try world.serve()
        var waiting: [ControlReply] = []
        var left = 0
        world.handler = { _, _, reply in
            reply.onClose = { left += 1 }
            waiting.append(reply)
        }
        let patient = try world.client()
        var hasty: RawClient? = try world.client()
        for client in [patient, hasty] { try client?.send(#"{"verb":"reload"}"# + "\n") }
        try world.wait("two requests") { waiting.count == 2 }
        hasty = nil
        try world.wait("one to leave") { left == 1 }
        for reply in waiting {
            reply.finish(["done": "reloaded"])
            reply.finish()
            reply.fail(.refused, "too late")
        }
        try world.wait("the answer") {
            try patient.read(); return patient.lines.count == 1
        }
        #expect(patient.lines == [#"{"ok":true,"result":{"done":"reloaded"}}"#])
    }

    @Test("a request that the handler forgets is refused, not left hanging")
    func forgotten() throws {
        let world = try ControlWorld()
        try world.serve()
        world.handler = { _, _, _ in }
        let client = try world.client()
        try client.send(#"{"verb":"reload"}"# + "\n")
        try world.wait("an answer") {
            try client.read(); return client.lines.count == 1
        }
        #expect(try client.refusalCode == .refused)
    }

    @Test("a stream may be refused in its middle")
    func brokenStream() throws {
        let world = try ControlWorld()
        try world.serve()
        world.handler = { _, _, reply in
            reply.send(["flows": 3])
            reply.fail(ControlRefusal(.refused, "ppp0 is gone", details: ["as of now"]))
        }
        let client = try world.client()
        try client.send(#"{"verb":"drain","arguments":{"uplink":"ftth"}}"# + "\n")
        try world.wait("two lines") {
            try client.read(); return client.lines.count == 2
        }
        #expect(
            client.lines == [
                #"{"ok":true,"result":{"flows":3}}"#,
                #"{"ok":false,"code":1,"error":"ppp0 is gone","details":["as of now"]}"#,
            ])
    }

    @Test("stopping ends every connection and takes the socket away")
    func stop() throws {
        let world = try ControlWorld()
        try world.serve()
        let client = try world.client()
        try world.wait("the client") { world.server?.clientCount == 1 }
        world.server?.stop()
        try world.wait("hang-up") {
            try client.read(); return client.isClosed
        }
        #expect(!Files.exists(world.path))
    }
}
