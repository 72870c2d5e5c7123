import JSONText
import Testing

@Suite("JSON: what is refused")
struct RefusalTests {
    @Test(
        "with line and column",
        arguments: [
            ("", 1, 0), ("{", 1, 1), ("[1,\n 2,\n]", 3, 1), ("{\n  \"a\": 1,\n  \"a\": 2\n}", 3, 5), ("[1] [2]", 1, 5),
            ("{'a':1}", 1, 2), ("[01]", 1, 2), ("nul", 1, 3), ("[1,\n\n  x]", 3, 3), ("\u{feff}[]", 1, 1),
        ] as [(String, Int, Int)])
    func positions(text: String, line: Int, column: Int) {
        do throws(JSONError) {
            let value = try JSONValue(parsing: text)
            Issue.record("taken as \(value.text)")
        } catch {
            #expect(error.line == line && error.column == column, "\(error)")
            #expect(!error.problem.isEmpty)
            #expect(error.description.hasPrefix("line \(line), column \(column): "))
        }
    }

    @Test(
        "half a character, from either end",
        arguments: [
            #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800\ud800""#, #""\udc00\ud800""#, #""\ud83d"#,
        ])
    func surrogates(text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text) } }

    @Test(
        "bytes that are no UTF-8",
        arguments: [
            [0x80], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xc3],
        ]
            as [[UInt8]])
    func encoding(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    }

    @Test(
        "numbers that would come out as others",
        arguments: [
            "9223372036854775808", "-9223372036854775809", "1e309", "-1e309", "1" + String(repeating: "0", count: 5000),
        ])
    func bigNumbers(text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text) } }

    @Test(
        "what is no JSON, though others let it pass",
        arguments: [
            "NaN", "Infinity", "+1", ".5", "1.", "0x10", "[1,]", "{\"a\":1,}", "{a:1}", "'x'", "// x\n1", "[1 2]",
            "tru", "\"\t\"",
            "\"\n\"", "\"\\x41\"", "[", "]", "{\"a\"}", "{\"a\":}", "{1:2}", "\u{0}", " ", "1,", "{\"\\u0000\":1}",
        ])
    func strangers(text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text) } }

    @Test("nesting as deep as jansson goes is read and written; deeper is refused, however deep")
    func nesting() throws {
        func nest(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let deepest = nest(2048)
        #expect(try JSONValue(parsing: deepest).text == deepest)
        for depth in [2049, 100_000, 1_000_000] {
            #expect(throws: JSONError.self) { try JSONValue(parsing: nest(depth)) }
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[{\"a\":", count: 50_000)) }
    }

    @Test("every cut of a good text is refused")
    func cuts() throws {
        let text = Array(#"{"a":[1,2.5,"x\u00e9",true],"b":{"c":null}}"#.utf8)
        #expect(throws: Never.self) { try JSONValue(parsing: text) }
        for length in 0..<text.count {
            #expect(throws: JSONError.self, "\(length) bytes") { try JSONValue(parsing: Array(text[..<length])) }
        }
    }
}
