import ControlText
import JSONText
import WANControl
import WANModel

/// One line, to each of those who read lines of others: daemon, `wanctl`, courier.
func readControl(_ line: [UInt8]) {
    do throws(ControlRefusal) {
        let request = try ControlRequest(line: line)
        let again = try ControlRequest(json: request.json)
        precondition(again == request, "a request changed on the way")
    } catch {
        precondition(error.code == .usage && printable(error.reason) == error.reason, "refused, and badly")
    }
    if let answer = try? ControlAnswer(line: line) {
        let again = try? ControlAnswer(line: Array(answer.line.dropLast()))
        precondition(again == answer, "an answer changed on the way")
    }
    if let request = try? CourierRequest(line: line) {
        let again = try? CourierRequest(line: request.line)
        precondition(again == request || request.line.count > courierLineLimit, "an errand changed on the way")
    }
    if let answer = try? CourierAnswer(line: line) {
        let again = try? CourierAnswer(line: answer.line)
        precondition(again == answer || answer.line.count > courierLineLimit, "an errand's end changed on the way")
    }
    readWord(line)
    if let json = try? JSONValue(parsing: line) { readReports(json) }
}

/// A datagram that comes from a peer's address.
private func readWord(_ datagram: [UInt8]) {
    do throws(ReportError) {
        let word = try PeerHello(datagram: datagram)
        precondition((try? PeerHello(json: word.json)) == word, "a word changed on the way")
    } catch {
        precondition(printable(error.description) == error.description, "refused, and badly")
    }
}

/// What `wanctl` makes of a daemon's answers: read, written again, and shown, with nothing that moves a cursor.
private func readReports(_ json: JSONValue) {
    for width in [nil, 24] {
        let style = TextStyle(width: width, now: Timestamp(unixMilliseconds: 1_795_219_200_000))
        read(json, StatusReport.init(json:), \.json) { $0.text(style) }
        read(json, EventReport.init(json:), \.json) { $0.text(style) }
        read(json, HistoryReport.init(json:), \.json) { $0.text(style) }
        read(json, WhyReport.init(json:), \.json) { $0.text(style) }
        read(json, ActionReport.init(json:), \.json) { $0.text(style) }
        read(json, DrainReport.init(json:), \.json) { $0.text(style) }
        read(json, ProbeReport.init(json:), \.json) { $0.text(style) }
    }
}

private func read<Report: Equatable>(
    _ json: JSONValue, _ read: (JSONValue) throws(ReportError) -> Report, _ write: (Report) -> JSONValue,
    _ show: (Report) -> String
) {
    guard let report = try? read(json) else { return }
    precondition((try? read(write(report))) == report, "a report changed on the way")
    let text = show(report)
    precondition(
        text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control },
        "a control character reached the terminal")
}
