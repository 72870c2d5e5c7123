import NetworkTypes
import Testing

@Suite("addresses and prefixes")
struct AddressTests {
    @Test("IPv4 text is read and written as inet_pton(3) does", arguments: ["0.0.0.0", "8.8.8.8", "255.255.255.255"])
    func v4(text: String) { #expect(IPv4Address(text)?.description == text) }

    @Test(
        "what is no IPv4 address is refused",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", "1..2.3", "+1.2.3.4", " 1.2.3.4"])
    func v4Refused(text: String) { #expect(IPv4Address(text) == nil) }

    @Test(
        "IPv6 text is canonical on the way out (RFC 5952)",
        arguments: [
            ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("fe80::1", "fe80::1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("1::", "1::"),
            ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
        ])
    func v6(text: String, canonical: String) { #expect(IPv6Address(text)?.description == canonical) }

    @Test(
        "what is no IPv6 address is refused",
        arguments: ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "g::", "12345::", "fe80::1%eth0", "1:2:3:4:5:6:7:8::"])
    func v6Refused(text: String) { #expect(IPv6Address(text) == nil) }

    @Test("a prefix contains what shares its leading bits")
    func contains() throws {
        let lan = try #require(IPPrefix("192.168.0.0/24"))
        #expect(lan.contains(.v4(IPv4Address(192, 168, 0, 254))))
        #expect(!lan.contains(.v4(IPv4Address(192, 168, 1, 0))))
        #expect(try #require(IPPrefix("0.0.0.0/0")).contains(.v4(IPv4Address(8, 8, 8, 8))))
        #expect(try #require(IPPrefix("2001:db8::/33")).contains(try #require(IPAddress("2001:db8:7fff::1"))))
        #expect(!(try #require(IPPrefix("2001:db8::/33")).contains(try #require(IPAddress("2001:db8:8000::1")))))
        #expect(IPPrefix("1.2.3.4/33") == nil)
    }
}
