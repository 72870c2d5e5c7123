import Testing
import WANControl

@Suite("frames between daemon and recorder")
struct RecordFrameTests {
    private let frames = [
        RecordFrame(.begin, number: 1000, body: Array("run".utf8)), RecordFrame(.event, number: .max, body: [0, 255]),
        RecordFrame(.ready), .stored(.policy, upTo: 7), .refused(.event, "the disk is full"),
    ]

    @Test("a stream gives the frames back, wherever it is cut")
    func cut() throws {
        let bytes = frames.flatMap(\.bytes)
        for cut in 0...bytes.count {
            var reader = RecordReader()
            let read = try reader.take(Array(bytes[..<cut])) + reader.take(Array(bytes[cut...]))
            #expect(read == frames, "cut at \(cut)")
        }
        var reader = RecordReader()
        #expect(try bytes.flatMap { try reader.take([$0]) } == frames)
    }

    @Test("an answer names its kind")
    func subject() {
        #expect(frames[3].subject?.kind == .policy)
        #expect(frames[4].subject ?? (.state, "") == (.event, "the disk is full"))
        #expect(RecordFrame(.stored).subject == nil && RecordFrame(.stored, body: [1]).subject == nil)
    }

    @Test(
        "what is no frame is refused at its first bytes",
        arguments: [
            ([UInt8](repeating: 0, count: 13), "no frame begins with the byte 0"),
            (
                [0x45, 0xff, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 8),
                "a frame of 4294967295 bytes is too long"
            ),
        ])
    func fault(bytes: [UInt8], text: String) {
        #expect(throws: RecordReader.Fault(description: text)) {
            var reader = RecordReader()
            _ = try reader.take(bytes)
        }
    }
}
