import JSONText
import Testing
import WANControl
import WANModel

@Suite("the word of a peer")
struct PeerWordTests {
    @Test("it survives the way, and its text is as agreed")
    func way() throws {
        #expect(try PeerWord(datagram: Example.word.datagram) == Example.word)
        #expect(
            String(decoding: Example.word.datagram, as: UTF8.self)
                == #"{"node":"sub","site":"home","version":"0.1.0","policy":"b1946ac92492","pinned":null,"run":81,"#
                + #""sequence":7,"role":"backup","health":2,"selected":["soracom"],"uplinks":{"soracom":"up"},"left_out":0}"#
        )
        var bare = Example.word
        bare.site = nil
        bare.policy = nil
        bare.pinned = "soracom"
        bare.selected = []
        bare.uplinks = []
        #expect(try PeerWord(datagram: bare.datagram) == bare)
    }

    @Test("members of a newer version are let pass, and what may be missing may")
    func tolerant() throws {
        let text =
            #"{"weather":{"sky":"clear"},"node":"sub","version":"9","run":1,"sequence":2,"role":"master","health":-254}"#
        let word = try PeerWord(datagram: Array(text.utf8))
        #expect(
            word
                == PeerWord(
                    node: "sub", version: "9", run: 1, sequence: 2, role: .master, health: -254, selected: [],
                    uplinks: []))
    }

    @Test("many and long names: what does not fit is left out from the end and counted", arguments: [1, 8, 40, 64, 70])
    func fits(count: Int) throws {
        for length in [1, 5, 15, 63] {
            var word = Example.word
            word.node = String(repeating: "n", count: 63)
            word.site = String(repeating: "光", count: 60)
            word.sequence = .max
            word.run = .max
            let names = (0..<count).map { String(String(repeating: "x", count: length) + "\($0)") }
            word.selected = Array(names.prefix(count / 2))
            word.uplinks = names.map { .init(name: $0, state: .degraded) }
            let datagram = word.datagram
            #expect(datagram.count <= PeerWord.longestDatagram)
            let read = try PeerWord(datagram: datagram)
            #expect(word.selected.starts(with: read.selected) && word.uplinks.starts(with: read.uplinks))
            #expect(read.leftOut == word.selected.count + count - read.selected.count - read.uplinks.count)
            // Nothing is left out without need: one more would not have fitted with its quotes, colon and comma.
            if read.uplinks.count < min(count, 64) {
                let next = word.uplinks[read.uplinks.count].name.utf8.count + "degraded".utf8.count + 6
                #expect(datagram.count + next > PeerWord.longestDatagram - 2)
            }
        }
    }

    @Test(
        "damage is refused in words",
        arguments: [
            ("", "word is not JSON: "),
            ("[]", "word is no object"),
            (#"{"node":"","version":"1"}"#, "word.node is no name of 1 to 63 bytes"),
            (#"{"node":"a"}"#, "word.version is missing"),
            (#"{"node":"a","version":"1","run":1.5}"#, "word.run is no whole number"),
            (
                #"{"node":"a","version":"1","run":1,"sequence":1,"role":"king"}"#,
                "word.role is no word this version knows"
            ),
            (
                #"{"node":"a","version":"1","run":1,"sequence":1,"role":"alone","health":255}"#,
                "word.health is not within -254 and 254"
            ),
            (
                #"{"node":"a","version":"1","run":1,"sequence":1,"role":"alone","health":1,"selected":[1]}"#,
                "word.selected is no list of texts"
            ),
            (
                #"{"node":"a","version":"1","run":1,"sequence":1,"role":"alone","health":1,"uplinks":{"b\u001b":"asleep"}}"#,
                "word.uplinks.b\\u{1b} is no state this version knows"
            ),
            (
                #"{"node":"a","version":"1","run":1,"sequence":1,"role":"alone","health":1,"left_out":-1}"#,
                "word.left_out is no count"
            ),
            (String(repeating: " ", count: 1201), "word is longer than 1200 bytes"),
        ])
    func refused(text: String, reason: String) {
        let error = #expect(throws: ReportError.self) { try PeerWord(datagram: Array(text.utf8)) }
        // What jansson says differs with its version.
        let isWhole = !reason.hasSuffix(": ")
        #expect(isWhole ? error?.description == reason : error?.description.hasPrefix(reason) == true)
    }

    @Test("every beginning of a word is refused")
    func cut() {
        let datagram = Example.word.datagram
        for end in datagram.indices {
            #expect(throws: ReportError.self) { try PeerWord(datagram: datagram[..<end]) }
        }
    }
}
