import Glibc
import JSONText
import WANControl
import WANModel
import WANPolicy

/// Which parser, or model of what happens, the first byte of an input selects. New ones go at the end: the corpus holds these numbers.
private enum Parser: UInt8 {
    case policy = 0
    case json = 1
    case netlink = 2
    case icmp = 3
    case control = 4
    case soracom = 5
    case addresses = 6
    case notice = 7
    case state = 8
    case servers = 9
    case words = 10
    case key = 11
    case engine = 12
    case steering = 13
    case frames = 14
    case outbox = 15
    case leavings = 16
    case lines = 17
    case headers = 18

    /// Gives the bytes to the parser, whose refusal is as good as its acceptance; only a trap or a hang is a finding, or an
    /// answer that contradicts itself.
    func parse(_ bytes: [UInt8]) {
        switch self {
        case .policy: readPolicy(bytes)
        case .json: readJSON(bytes)
        case .netlink: readNetlink(bytes)
        case .icmp: readICMP(bytes)
        case .control: readControl(bytes)
        case .soracom: readSoracom(bytes)
        case .addresses: readAddresses(bytes)
        case .notice: readNotices(bytes)
        case .state: readState(bytes)
        case .servers: readNameServers(bytes)
        case .words: readWords(bytes)
        case .key: readKey(bytes)
        case .engine: runEngine(bytes)
        case .steering: steerTable(bytes)
        case .frames: readFrames(bytes)
        case .outbox: runOutbox(bytes)
        case .leavings: readLeavings(bytes)
        case .lines: readLines(bytes)
        case .headers: readHeaders(bytes)
        }
    }
}

/// The only parser to be asked, by its number, where FUZZ_PARSER names one: so each gets its share of the time.
private let chosen: UInt8? = getenv("FUZZ_PARSER").flatMap { UInt8(String(cString: $0)) }

/// What libFuzzer calls with each input (llvm.org/docs/LibFuzzer.html); it brings its own `main`. `make fuzz` runs it.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let first = input.first, let parser = Parser(rawValue: first), chosen == nil || chosen == first else {
        return -1  // not worth keeping in the corpus
    }
    parser.parse(Array(input.dropFirst()))
    return 0
}

private func readPolicy(_ bytes: [UInt8]) {
    do throws(PolicyFaults) {
        let found = try PolicyReader.read(bytes)
        precondition(!found.policy.uplinks.isEmpty, "a policy without uplinks was taken")
    } catch {
        precondition(!error.faults.isEmpty && !error.description.isEmpty, "refused without a word")
    }
}

/// A file of addresses that a rule names.
private func readAddresses(_ bytes: [UInt8]) {
    let policy = """
        version: 1
        uplinks: {a: {interface: p}}
        rules: [{name: x, match: {source: {file: f}}, order: [a]}]

        """
    do throws(PolicyFaults) {
        let found = try PolicyReader.read(Array(policy.utf8), files: PolicyFiles { _, _ in .success(bytes) })
        guard let match = found.policy.rules.first?.match, let source = match.source else {
            preconditionFailure("a rule or its source is lost")
        }
        precondition(!source.ranges.isEmpty || !found.unsupported().isEmpty, "a set of nothing was taken")
        precondition(match.covers(match) && match.overlaps(match) != match.isEmpty, "a set does not hold itself")
    } catch {
        precondition(!error.faults.isEmpty && !error.description.isEmpty, "refused without a word")
    }
}

/// What comes in by keepalived's notify FIFO, line by line.
private func readNotices(_ bytes: [UInt8]) {
    for bytes in bytes.split(separator: 10, omittingEmptySubsequences: false) {
        let line = String(decoding: bytes, as: UTF8.self)
        do throws(VRRPNoticeError) {
            let notice = try VRRPNotice(line: line)
            precondition((try? VRRPNotice(line: notice.line)) == notice, "a notice changed on the way")
            precondition(!notice.name.isEmpty, "an instance without a name was taken")
        } catch {
            precondition(printable(error.description) == error.description, "refused, and badly")
        }
    }
}

private func readJSON(_ bytes: [UInt8]) {
    do throws(JSONError) {
        let value = try JSONValue(parsing: bytes)
        for text in [value.text, value.prettyText] {
            let again = try JSONValue(parsing: text)
            precondition(again == value, "what was written is not what was read")
        }
    } catch {
        precondition(!error.description.isEmpty, "refused without a word")
    }
}
