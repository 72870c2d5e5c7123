/// A YAML text as a tree, and everything that keeps it from being one we take.
///
/// We take what a configuration file needs: one document, keys that are text and distinct, no anchors, aliases and tags, and
/// a size that is read in milliseconds. The rest of YAML is refused in words.
package struct YAMLDocument: Sendable {
    /// `nil` where the text could not be read to its end.
    package var root: YAMLNode?
    /// In the order they were met.
    package var faults: [PolicyFault]
    /// Where an alias stood, whose value is unknown: no further fault about it makes sense.
    var aliases: Set<SourcePosition> = []

    package struct Limits: Sendable {
        package var bytes = 1 << 20
        package var depth = 64
        package var nodes = 100_000
        package init() {}
    }

    package init(reading bytes: [UInt8], fileName: String, limits: Limits = Limits()) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]  // a byte order mark, as some editors write it
        let bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        do throws(PolicyFault) {
            try YAMLDocument.checkBytes(bytes, fileName, limits)
            var builder = try YAMLTreeBuilder(bytes, file: fileName, limits: limits)
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
    private static func checkBytes(_ bytes: [UInt8], _ file: String, _ limits: Limits) throws(PolicyFault) {
        guard bytes.count <= limits.bytes else {
            throw PolicyFault(
                file: file, at: .start, problem: "the file has \(bytes.count) bytes",
                advice: "at most \(limits.bytes) are read")
        }
        if let nul = bytes.firstIndex(of: 0) {
            throw PolicyFault(
                file: file, at: SourcePosition(ofByte: nul, in: bytes), problem: "there is a NUL byte",
                advice: "the file must be UTF-8 text")
        }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw PolicyFault(
                file: file, at: SourcePosition(ofByte: error.byteOffsets.lowerBound, in: bytes),
                problem: "these bytes are not UTF-8", advice: "save the file as UTF-8")
        }
        if let directive = bytes.indices.first(where: { bytes[$0] == 0x25 && isLineStart($0, in: bytes) }) {
            throw PolicyFault(
                file: file, at: .init(ofByte: directive, in: bytes), problem: "a directive (%) is not allowed here",
                advice: "remove the line")
        }
    }

    /// Whether libyaml sees column 0 here: after LF, CR, NEL (U+0085), LS and PS (U+2028, U+2029).
    ///
    /// Directives are refused before it can: it compares each %TAG with all before (`yaml_parser_append_tag_directive`),
    /// so that a megabyte of them took 46 s.
    private static func isLineStart(_ index: Int, in bytes: [UInt8]) -> Bool {
        let before = bytes[..<index]
        return before.isEmpty || before.last == 10 || before.last == 13 || before.suffix(2) == [0xc2, 0x85]
            || before.suffix(3) == [0xe2, 0x80, 0xa8] || before.suffix(3) == [0xe2, 0x80, 0xa9]
    }
}

extension YAMLNode {
    /// Reads one document, whole or not at all.
    package init(
        parsing bytes: [UInt8], fileName: String, limits: YAMLDocument.Limits = .init()
    ) throws(PolicyFaults) {
        let document = YAMLDocument(reading: bytes, fileName: fileName, limits: limits)
        guard let root = document.root, document.faults.isEmpty else { throw PolicyFaults(document.faults) }
        self = root
    }
}
