import Testing
import WANDaemon
import WANModel

@Suite("what is odd about the other boxes is told once")
struct PeerComplaintsTests {
    private let start = Moment(nanoseconds: 5_000_000_000)

    @Test("each kind has a sentence that says what to do, with nothing raw from the network in it")
    func sentences() {
        let same = "give all boxes the same policy and key file; where they have them, a host of the LAN forges words"
        let oddities: [PeerOddity] = [
            .otherPort(node: "sub", port: 40000),
            .misnamed(node: "sub", name: "x\u{1b}[2J"), .otherSite(node: "sub", site: "office", own: "home"),
            .unsigned(node: "sub"), .signed(node: "sub"), .forged(node: "sub"),
            .unreadable(node: "sub", problem: "hello is not JSON"),
            .otherVersion(node: "sub", version: "9.0", own: "0.1.0"),
        ]
        #expect(
            oddities.map(\.text) == [
                "sub speaks from port 40000 and not from 8787; it is ignored: something translates on the way",
                "sub calls itself “x\\u{1b}[2J”; it is ignored: give all boxes the same policy, and each its own --node",
                "sub belongs to site “office”, this box to “home”; it is ignored: give all boxes the same policy",
                "words in the name of sub are not signed, and vrrp.key is set here; they are ignored: \(same)",
                "words in the name of sub are signed, and no vrrp.key is set here; they are ignored: \(same)",
                "words in the name of sub are signed with another key; they are ignored: \(same)",
                "what sub says cannot be read (hello is not JSON); it is ignored: update the older one of both boxes",
                "sub runs wanctl “9.0”, this box 0.1.0; update the older one",
            ])
    }

    @Test("once in the log, and counted in the status while it goes on; after an hour it is news again")
    func once() {
        var complaints = PeerComplaints()
        let forged = PeerOddity.forged(node: "sub")
        #expect(complaints.note(forged, at: start) == forged.text)
        #expect(complaints.warnings(at: start) == [forged.text])
        for second in 1...100 { #expect(complaints.note(forged, at: start + .seconds(Int64(second))) == nil) }
        let last = start + .seconds(100)
        #expect(complaints.warnings(at: last + .seconds(60)) == ["\(forged.text) (101 times)"])
        #expect(complaints.warnings(at: last + .seconds(61)) == [])
        #expect(complaints.note(forged, at: last + .seconds(3601)) == forged.text)
        let version = PeerOddity.otherVersion(node: "sub", version: "9.0", own: "0.1.0")
        for _ in 0..<3 { _ = complaints.note(version, at: start) }
        #expect(complaints.warnings(at: start).last == version.text, "its words are taken")
        // What changes from one to the next is no new complaint, and what is shown is the latest.
        let names = ["a", "b"].map { PeerOddity.misnamed(node: "sub", name: $0) }
        let told = names.map { complaints.note($0, at: last) }
        #expect(told == [names[0].text, nil])
        #expect(complaints.warnings(at: last).contains("\(names[1].text) (2 times)"))
    }

    @Test("a flood in ever other names costs seventeen lines")
    func flood() {
        var complaints = PeerComplaints()
        let told = (0..<10_000).compactMap { number in
            complaints.note(.forged(node: "box\(number)"), at: start)
        }
        #expect(told.count == 17 && told.last == "more senders than 16 speak as boxes of the site and are ignored")
        #expect(complaints.warnings(at: start).last == "\(told[16]) (9984 times)")
        #expect(complaints.warnings(at: start).count == 17)
    }
}
