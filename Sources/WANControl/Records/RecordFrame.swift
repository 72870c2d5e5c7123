/// What the daemon and its recorder tell each other, over a stream socket.
///
/// A frame is its kind (a byte), the size of its body (4 bytes, network order), a number (8 bytes, network order) and the body.
package struct RecordFrame: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        // The daemon to the recorder.
        /// A run of the daemon begins, or is connected again; the body is its name. The number is how many events of earlier runs it
        /// wants to have.
        case begin = 0x42
        /// An event, as JSON; numbered from 1 in each run, without a gap.
        case event = 0x45
        /// All of the stored state, and of the policy in force: the file, whole. The newer of two replaces the other.
        case state = 0x53
        case policy = 0x50
        // The recorder to the daemon.
        /// An event of an earlier run, the oldest first.
        case earlier = 0x65
        /// All that came before `begin` is in its place, and all earlier events were told.
        case ready = 0x72
        /// What has this number, and of events all before, will outlive a loss of power. The body is the byte of its kind.
        case stored = 0x73
        /// It will not; the body is the byte of its kind, and why. The connection ends behind it.
        case refused = 0x66
    }

    package var kind: Kind
    package var number: UInt64
    package var body: [UInt8]

    /// A kept policy with the files that it reads has 16 MiB at most.
    package static let longestBody = 17 << 20
    fileprivate static let head = 13

    package init(_ kind: Kind, number: UInt64 = 0, body: [UInt8] = []) {
        self.kind = kind
        self.number = number
        self.body = body
    }

    /// The answer to one that was kept.
    package static func stored(_ kind: Kind, upTo number: UInt64) -> Self {
        Self(.stored, number: number, body: [kind.rawValue])
    }

    /// The answer to one that cannot be kept.
    package static func refused(_ kind: Kind, _ reason: String) -> Self {
        Self(.refused, body: [kind.rawValue] + Array(reason.utf8))
    }

    /// Which kind an answer is about, and what it says.
    package var subject: (kind: Kind, text: String)? {
        guard let first = body.first, let kind = Kind(rawValue: first) else { return nil }
        return (kind, String(decoding: body.dropFirst(), as: UTF8.self))
    }

    package var bytes: [UInt8] {
        var bytes = [kind.rawValue]
        bytes.reserveCapacity(Self.head + body.count)
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: body.count >> shift))
        }
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
        return bytes + body
    }
}

/// What makes frames of a stream, wherever it is cut.
package struct RecordReader {
    /// No frame: whoever sends it is no daemon and no recorder of ours.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    private var rest: [UInt8] = []

    package init() {}

    /// Adds what was read; the frames that are whole now.
    package mutating func take(_ bytes: [UInt8]) throws(Fault) -> [RecordFrame] {
        rest += bytes
        var frames: [RecordFrame] = []
        var start = 0
        while rest.count - start >= RecordFrame.head {
            func number(_ range: Range<Int>) -> UInt64 { rest[range].reduce(0) { $0 << 8 | UInt64($1) } }
            guard let kind = RecordFrame.Kind(rawValue: rest[start]) else {
                throw Fault(description: "no frame begins with the byte \(rest[start])")
            }
            let size = Int(number(start + 1..<start + 5))
            guard size <= RecordFrame.longestBody else {
                throw Fault(description: "a frame of \(size) bytes is too long")
            }
            let body = start + RecordFrame.head
            guard rest.count - body >= size else { break }
            frames.append(RecordFrame(kind, number: number(start + 5..<body), body: Array(rest[body..<body + size])))
            start = body + size
        }
        rest.removeFirst(start)
        return frames
    }
}

/// Where the recorder of a daemon listens that has this control socket.
package func recorderSocketPath(beside controlSocket: String) -> String { pathBeside(controlSocket, "recorder.sock") }

/// `/run/wanctl/NAME` beside `/run/wanctl/wanctl.sock`.
package func pathBeside(_ path: String, _ name: String) -> String {
    (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + name
}
