internal import JSONText
internal import WANModel
internal import WANPolicy

/// Which parser the first byte of an input selects. New ones go at the end: the corpus holds these numbers.
private enum Parser: UInt8 {
    case policy = 0
    case json = 1
    // 2 netlink, 3 ICMP, 4 control messages, 5 SORACOM answers: each one case here and one in `parse`.

    /// Gives the bytes to the parser, whose refusal is as good as its acceptance; only a trap, a leak or a hang is a finding.
    func parse(_ bytes: [UInt8]) {
        switch self {
        case .policy:
            do throws(PolicyFaults) {
                let found = try PolicyReader.read(bytes)
                precondition(!found.policy.uplinks.isEmpty, "a policy without uplinks was taken")
            } catch {
                precondition(!error.faults.isEmpty && !error.description.isEmpty, "refused without a word")
            }
        case .json:
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                let again = try JSONValue(parsing: value.text)
                precondition(value == again, "what was written is not what was read")
            } catch {
                precondition(!error.description.isEmpty, "refused without a word")
            }
        }
    }
}

/// What libFuzzer calls with each input (llvm.org/docs/LibFuzzer.html); it brings its own `main`.
///
/// `FUZZ=1 swift build --sanitize fuzzer --scratch-path .build-fuzz --product fuzz-parsers`, then, with
/// SWIFT_BACKTRACE=enable=no: `.build-fuzz/debug/fuzz-parsers -max_total_time=20 Tests/Fuzz/corpus`.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    Parser(rawValue: first)?.parse(Array(input.dropFirst()))
    return 0
}
