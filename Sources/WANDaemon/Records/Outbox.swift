internal import JSONText
package import WANControl

/// What the recorder is to keep and what it has kept: the last events, and the newest of each file.
///
/// A pure value. It is bounded whatever the recorder does: where that falls behind, the oldest events go, and their numbers with them,
/// by which the recorder sees the gap.
package struct Outbox {
    /// Of earlier runs and this one, the oldest first.
    package var events: [EventReport] { earlier + own }
    /// Of earlier runs, as the recorder had them.
    package var earlier: [EventReport] = [] {
        didSet { earlier = earlier.suffix(Self.mostEvents - min(own.count, Self.mostEvents)) }
    }
    private var own: [EventReport] = []
    /// The number of the first of `own`.
    private var first: UInt64 = 1
    private var size = 0

    private struct File {
        var number: UInt64
        var bytes: [UInt8]
    }
    /// Not kept yet.
    private var files: [RecordFrame.Kind: File] = [:]
    private var lastFile: UInt64 = 0

    private var sentEvent: UInt64 = 0
    private var storedEvent: UInt64 = 0
    /// The numbers of the files that were sent and not kept yet.
    private var sentFiles: [RecordFrame.Kind: UInt64] = [:]

    package static let mostEvents = 1000
    package static let mostBytes = 256 << 10

    package init() {}

    private var lastEvent: UInt64 { first + UInt64(own.count) - 1 }

    package mutating func append(_ event: EventReport) {
        own.append(event)
        size += Self.size(event)
        let most = Self.mostEvents
        guard own.count > most || size > Self.mostBytes || earlier.count + own.count > most + 100 else { return }
        while own.count > most || size > Self.mostBytes {
            size -= Self.size(own.removeFirst())
            first += 1
        }
        earlier = earlier.suffix(max(most - own.count, 0))
    }

    /// About as long as its JSON.
    private static func size(_ event: EventReport) -> Int { event.text.utf8.count + (event.change == nil ? 120 : 1000) }

    package mutating func keep(_ bytes: [UInt8], as kind: RecordFrame.Kind) {
        lastFile += 1
        files[kind] = File(number: lastFile, bytes: bytes)
    }

    /// What is to be sent next: what a start needs, then the events.
    package mutating func next() -> RecordFrame? {
        for kind in [RecordFrame.Kind.state, .policy] {
            guard let file = files[kind], sentFiles[kind] != file.number else { continue }
            sentFiles[kind] = file.number
            return RecordFrame(kind, number: file.number, body: file.bytes)
        }
        let number = max(sentEvent + 1, first)
        guard number <= lastEvent else { return nil }
        sentEvent = number
        return RecordFrame(.event, number: number, body: Array(own[Int(number - first)].json.text.utf8))
    }

    /// The recorder has kept it.
    package mutating func stored(_ kind: RecordFrame.Kind, upTo number: UInt64) {
        progress += 1
        if kind == .event {
            storedEvent = max(storedEvent, min(number, sentEvent))
        } else if sentFiles[kind] == number {
            sentFiles[kind] = nil
            if files[kind]?.number == number { files[kind] = nil }
        }
    }

    /// A new connection: what was not kept is sent again.
    package mutating func sendAgain() {
        sentEvent = storedEvent
        sentFiles = [:]
    }

    /// Something was sent, and is not kept yet.
    package var isWaiting: Bool { sentEvent > storedEvent || !sentFiles.isEmpty }
    package var hasUnsent: Bool {
        max(sentEvent + 1, first) <= lastEvent || files.contains { sentFiles[$0.key] != $0.value.number }
    }
    /// Everything is kept.
    package var isComplete: Bool { storedEvent == lastEvent && files.isEmpty }
    /// How often something was kept, for whoever looks whether it moves on.
    package private(set) var progress = 0
}
