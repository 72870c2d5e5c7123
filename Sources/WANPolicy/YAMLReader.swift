/// A YAML text as a tree, and everything that keeps it from being one we take.
///
/// We take what a configuration file needs: one document, keys that are text and distinct, no anchors, aliases and tags, and
/// a size that is read in milliseconds. The rest of YAML is refused in words.
struct YAMLDocument: Sendable {
    /// `nil` where the text could not be read to its end.
    var root: YAMLNode?
    /// In the order they were met.
    var faults: [PolicyFault]
    /// Where an alias stood, whose value is unknown: no further fault about it makes sense.
    var aliases: Set<SourcePosition> = []

    private static let mostBytes = 1 << 20
    static let deepestLevel = 64
    static let mostNodes = 100_000

    init(reading bytes: [UInt8], fileName: String) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]  // a byte order mark, as some editors write it
        let bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        do throws(PolicyFault) {
            try YAMLDocument.checkBytes(bytes, fileName)
            var builder = try YAMLTreeBuilder(bytes, file: fileName)
            do throws(PolicyFault) {
                root = try builder.document()
                faults = builder.faults
            } catch {
                root = nil
                faults = builder.faults + [error]
            }
            aliases = builder.aliases
        } catch {
            root = nil
            faults = [error]
        }
    }

    /// What must hold before libyaml sees the text: it takes NUL for the end, and guesses UTF-16.
    private static func checkBytes(_ bytes: [UInt8], _ file: String) throws(PolicyFault) {
        func fault(_ offset: Int, _ problem: String, _ advice: String) -> PolicyFault {
            PolicyFault(file: file, at: SourcePosition(ofByte: offset, in: bytes), problem: problem, advice: advice)
        }
        guard bytes.count <= mostBytes else {
            throw fault(0, "the file has \(bytes.count) bytes", "at most \(mostBytes) are read")
        }
        if let nul = bytes.firstIndex(of: 0) {
            throw fault(nul, "there is a NUL byte", "the file must be UTF-8 text")
        }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw fault(error.byteOffsets.lowerBound, "these bytes are not UTF-8", "save the file as UTF-8")
        }
        if let directive = bytes.indices.first(where: { bytes[$0] == 0x25 && isLineStart($0, in: bytes) }) {
            throw fault(directive, "a directive (%) is not allowed here", "remove the line")
        }
    }

    private static func isLineStart(_ index: Int, in bytes: [UInt8]) -> Bool {
        let before = bytes[..<index]
        return before.isEmpty || before.last == 10 || before.last == 13 || before.suffix(2) == [0xc2, 0x85]
            || before.suffix(3) == [0xe2, 0x80, 0xa8] || before.suffix(3) == [0xe2, 0x80, 0xa9]
    }
}
