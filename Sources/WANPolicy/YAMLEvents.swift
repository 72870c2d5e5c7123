internal import CYaml

/// What libyaml finds in a text, one event after the other (`yaml_parser_parse`, yaml.h).
struct YAMLEvents: ~Copyable {
    enum Event {
        case streamStart, streamEnd, documentStart, documentEnd, alias
        case scalar(String, quoted: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    /// An event, its position, and what a policy must not have beside it.
    struct Found {
        var event: Event
        var position: SourcePosition
        var hasAnchor = false
        var hasTag = false
    }

    /// On the heap: `yaml_parser_set_input_string` stores the parser's own address in it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// A copy, since libyaml reads it as it goes.
    private let text: UnsafeMutableBufferPointer<UInt8>
    private let file: String

    /// `bytes` are valid UTF-8 without a byte order mark: libyaml is told so and does not guess.
    init(_ bytes: [UInt8], file: String) throws(PolicyFault) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw PolicyFault(file: file, at: .start, problem: "out of memory")
        }
        let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = text.initialize(from: bytes)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
        self.parser = parser
        self.text = text
        self.file = file
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    mutating func next() throws(PolicyFault) -> Found {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw fault() }
        defer { yaml_event_delete(&raw) }
        let position = SourcePosition(raw.start_mark)
        switch raw.type {
        case YAML_STREAM_START_EVENT: return Found(event: .streamStart, position: position)
        case YAML_DOCUMENT_START_EVENT: return Found(event: .documentStart, position: position)
        case YAML_DOCUMENT_END_EVENT: return Found(event: .documentEnd, position: position)
        case YAML_ALIAS_EVENT: return Found(event: .alias, position: position)
        case YAML_SEQUENCE_END_EVENT: return Found(event: .sequenceEnd, position: position)
        case YAML_MAPPING_END_EVENT: return Found(event: .mappingEnd, position: position)
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return Found(
                event: .scalar(text, quoted: scalar.style != YAML_PLAIN_SCALAR_STYLE), position: position,
                hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = raw.data.sequence_start
            return Found(
                event: .sequenceStart, position: position, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = raw.data.mapping_start
            return Found(
                event: .mappingStart, position: position, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        default: return Found(event: .streamEnd, position: position)  // YAML_NO_EVENT: nothing comes any more
        }
    }

    /// Why the parser stopped, in its own words and where it says.
    private func fault() -> PolicyFault {
        let words = { (text: UnsafePointer<CChar>?) in text.map { String(cString: $0) } ?? "" }
        let problem = words(parser.pointee.problem)
        if parser.pointee.error == YAML_READER_ERROR {
            return PolicyFault(
                file: file, at: .init(ofByte: parser.pointee.problem_offset, in: Array(text)), problem: problem)
        }
        if parser.pointee.error == YAML_MEMORY_ERROR {
            return PolicyFault(file: file, at: SourcePosition(parser.pointee.mark), problem: "out of memory")
        }
        let position = SourcePosition(parser.pointee.problem_mark)
        var context = ""
        if parser.pointee.context != nil {
            context = " " + words(parser.pointee.context)
            let start = SourcePosition(parser.pointee.context_mark)
            if start.line != position.line { context += " that begins in line \(start.line)" }
        }
        // The mark counts characters, and all that follow the first byte of one are 10xxxxxx.
        let index = parser.pointee.problem_mark.index
        let isTab = text.lazy.filter { $0 & 0xc0 != 0x80 }.dropFirst(index).first == 9
        return PolicyFault(
            file: file, at: position, problem: "this is not YAML: \(problem)\(context)",
            advice: isTab ? "indent with spaces, a tab is not allowed here" : nil)
    }
}

extension SourcePosition {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: mark.line + 1, column: mark.column + 1) }
}
