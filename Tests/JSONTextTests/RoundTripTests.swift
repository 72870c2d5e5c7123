import JSONText
import Testing

@Suite("JSON: what is written is read again")
struct RoundTripTests {
    static let values: [JSONValue] = [
        .null, true, false, 0, -1, .integer(.max), .integer(.min), 0.1, -0.5, 1e300, .number(.leastNonzeroMagnitude),
        .number(.greatestFiniteMagnitude),
        1e16, .number(-0.0), "", "plain", "\u{0}", "\"\\/\u{8}\u{c}\n\r\t", "\u{1}\u{1f}\u{7f}", "ルータ 🛰️ é e\u{301}",
        "\u{2028}\u{2029}\u{feff}\u{ffff}\u{10ffff}", [], [[]], [[], [nil, [true]]], .object([]), ["": ""],
        ["a": 1, "b": [1, 2.5, "x"], "c": ["d": nil]], ["z": 1, "a": 2, "m": 3],
    ]

    @Test("on one line", arguments: values)
    func compact(value: JSONValue) throws {
        let text = value.text
        #expect(!text.contains("\n"))
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test("over several", arguments: values)
    func pretty(value: JSONValue) throws { #expect(try JSONValue(parsing: value.prettyText) == value) }

    @Test("members keep their order")
    func order() throws {
        let text = #"{"z":1,"a":2,"m":{"y":1,"b":2}}"#
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test("the forms are these")
    func forms() {
        let value: JSONValue = [
            "name": "ftth", "rtt": 5.5, "up": true, "gateway": nil, "list": [1, "a\tb"], "none": [],
        ]
        #expect(value.text == #"{"name":"ftth","rtt":5.5,"up":true,"gateway":null,"list":[1,"a\tb"],"none":[]}"#)
        #expect(
            value.prettyText == """
                {
                  "name": "ftth",
                  "rtt": 5.5,
                  "up": true,
                  "gateway": null,
                  "list": [
                    1,
                    "a\\tb"
                  ],
                  "none": []
                }
                """)
    }

    @Test("what JSON cannot say is null")
    func unspeakable() {
        #expect(JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity)]).text == "[null,null,null]")
        #expect(JSONValue(Double.nan) == .null)
        #expect(JSONValue(nil as String?) == .null)
    }

    @Test(
        "numbers as others write them",
        arguments: [("1e2", 100), ("1E+2", 100), ("-1.5e-1", -0.15), ("0.0", 0)] as [(String, Double)])
    func foreignNumbers(text: String, value: Double) throws { #expect(try JSONValue(parsing: text) == .number(value)) }

    @Test("escapes as others write them")
    func foreignEscapes() throws {
        #expect(try JSONValue(parsing: #""\u00e9\/\ud83d\udef0\b""#) == "é/🛰\u{8}")
    }

    @Test("a value is what it is and nothing else")
    func access() throws {
        let value = try JSONValue(parsing: #"{"t":"x","b":true,"i":3,"d":1.5,"n":null,"a":[1],"o":{"k":"v"}}"#)
        #expect(value["t"]?.string == "x" && value["t"]?.integer == nil && value["t"]?["k"] == nil)
        #expect(value["b"]?.bool == true && value["b"]?.double == nil)
        #expect(value["i"]?.integer == 3 && value["i"]?.double == 3)
        #expect(value["d"]?.double == 1.5 && value["d"]?.integer == nil)
        #expect(value["n"]?.isNull == true && value["missing"] == nil)
        #expect(value["a"]?.array == [1] && value["o"]?["k"] == "v" && value["o"]?.members?.count == 1)
    }
}
