import JSONText
import WANControl
import WANDaemon

/// What comes over the recorder's socket, read at once and cut anywhere. The first bytes say where.
func readFrames(_ bytes: [UInt8]) {
    guard bytes.count > 4 else { return }
    let stream = Array(bytes[4...])
    var whole: [RecordFrame] = []
    var isFaulty = false
    var reader = RecordReader()
    do throws(RecordReader.Fault) { whole = try reader.take(stream) } catch {
        precondition(printable(error.description) == error.description, "refused, and badly")
        isFaulty = true
    }
    var pieces: [RecordFrame] = []
    var isCutFaulty = false
    var cut = RecordReader()
    var (start, turn) = (0, 0)
    do throws(RecordReader.Fault) {
        while start < stream.count {
            let end = min(stream.count, start + Int(bytes[turn % 4] % 64) + 1)
            pieces += try cut.take(Array(stream[start..<end]))
            (start, turn) = (end, turn + 1)
        }
    } catch {
        isCutFaulty = true
    }
    precondition(isFaulty == isCutFaulty, "a stream is good, or not, as it is cut")
    precondition(isFaulty || pieces == whole, "other frames, as it is cut")
    for frame in pieces {
        var again = RecordReader()
        precondition((try? again.take(frame.bytes)) == [frame], "a frame changed on the way")
        if let subject = frame.subject { precondition(frame.body.first == subject.kind.rawValue, "about another kind") }
    }
    precondition(
        Array(stream.prefix(pieces.reduce(0) { $0 + $1.bytes.count })) == pieces.flatMap(\.bytes), "bytes are lost")
}

/// What the daemon has for its recorder, whatever that one keeps, refuses, or says twice.
func runOutbox(_ bytes: [UInt8]) {
    var decisions = Decisions(bytes)
    var model = OutboxModel()
    for _ in 0..<60 where !decisions.isOver {
        let kind: RecordFrame.Kind = decisions.flag() ? .state : .policy
        switch decisions.below(16) {
        case 0...4: model.append(1, size: decisions.below(256))
        case 5: model.append(4 * decisions.below(256), size: 0)
        case 6: model.append(10, size: 200 * decisions.below(16))
        case 7, 8: model.keep(decisions.bytes(decisions.below(8)), as: kind)
        case 9...11: model.send(1 + decisions.below(32))
        case 12: model.stored(.event, upTo: UInt64(decisions.below(256)) << UInt64(decisions.below(8)))
        case 13: model.storeSent(back: decisions.below(4))
        case 14: model.stored(kind, upTo: UInt64(decisions.below(256)))
        default: model.sendAgain(earlier: decisions.below(256))
        }
    }
    model.finish()
}

/// What an outbox should do, told beside it in a simpler way.
private struct OutboxModel {
    private var outbox = Outbox()
    /// All that was ever appended: event N is at N - 1.
    private var events: [EventReport] = []
    private var sentEvent = 0
    private var storedEvent = 0
    private var files: [RecordFrame.Kind: (number: UInt64, bytes: [UInt8])] = [:]
    private var lastFile: UInt64 = 0
    private var sentFiles: [RecordFrame.Kind: UInt64] = [:]
    private var answers = 0

    mutating func append(_ count: Int, size: Int) {
        for _ in 0..<count {
            let text = String(repeating: "x", count: size) + " \(events.count + 1)"
            let event = EventReport(at: Timestamp(unixMilliseconds: 0), kind: "up", text: text)
            events.append(event)
            outbox.append(event)
        }
        check()
    }

    mutating func keep(_ bytes: [UInt8], as kind: RecordFrame.Kind) {
        lastFile += 1
        files[kind] = (lastFile, bytes)
        outbox.keep(bytes, as: kind)
        check()
    }

    /// How many events of this run it still has.
    private var own: Int { outbox.events.count - outbox.earlier.count }

    mutating func send(_ most: Int) {
        let first = events.count - own + 1
        for _ in 0..<most {
            guard let frame = outbox.next() else {
                precondition(sentEvent == events.count, "an event is not sent")
                precondition(files.allSatisfy { sentFiles[$0.key] == $0.value.number }, "a file is not sent")
                break
            }
            if frame.kind == .event {
                let number = Int(frame.number)
                precondition(number > sentEvent && number <= events.count, "an event is sent twice, or is none")
                precondition(number == max(sentEvent + 1, first), "an event is left out")
                let text = (try? JSONValue(parsing: frame.body))?["text"]?.string
                precondition(text == events[number - 1].text, "another event's number")
                sentEvent = number
            } else {
                guard let file = files[frame.kind] else { preconditionFailure("a file that is kept already") }
                precondition(sentFiles[frame.kind] != frame.number, "a file is sent twice")
                precondition(file.number == frame.number && file.bytes == frame.body, "a file that is not the newest")
                sentFiles[frame.kind] = frame.number
            }
        }
        check()
    }

    mutating func stored(_ kind: RecordFrame.Kind, upTo number: UInt64) {
        outbox.stored(kind, upTo: number)
        answers += 1
        if kind == .event {
            storedEvent = max(storedEvent, min(Int(number), sentEvent))
        } else if sentFiles[kind] == number {
            sentFiles[kind] = nil
            if files[kind]?.number == number { files[kind] = nil }
        }
        check()
    }

    mutating func storeSent(back: Int) {
        stored(.event, upTo: UInt64(max(0, sentEvent - back)))
        for (kind, number) in sentFiles where back < 2 { stored(kind, upTo: number) }
    }

    mutating func sendAgain(earlier: Int) {
        outbox.sendAgain()
        (sentEvent, sentFiles) = (storedEvent, [:])
        outbox.earlier = Array(
            repeating: EventReport(at: Timestamp(unixMilliseconds: 0), kind: "up", text: "e"), count: earlier)
        check()
    }

    /// A recorder that keeps all it gets has everything in the end.
    mutating func finish() {
        let kept = outbox.events.suffix(own)
        precondition(Array(kept) == Array(events.suffix(own)), "other events than the last ones")
        let size = kept.reduce(0) { $0 + $1.text.utf8.count + 120 }
        precondition(size <= Outbox.mostBytes, "more bytes than it may have")
        sendAgain(earlier: 0)
        send(.max)
        storeSent(back: 0)
        precondition(outbox.isComplete && !outbox.isWaiting, "everything was kept, and it does not know")
    }

    private func check() {
        let kept = outbox.events
        precondition(kept.count <= Outbox.mostEvents + 100, "more events than it may have")
        precondition(
            own >= 0 && kept.last?.text == (own > 0 ? events.last?.text : kept.last?.text), "the newest is lost")
        precondition(outbox.isComplete == (storedEvent == events.count && files.isEmpty), "complete, and is not")
        precondition(outbox.isWaiting == (sentEvent > storedEvent || !sentFiles.isEmpty), "waiting, and is not")
        precondition(outbox.progress == answers, "progress that was not made")
    }
}
