/// Makes the tree from libyaml's events, within the limits.
struct YAMLTreeBuilder: ~Copyable {
    private var events: YAMLEvents
    private let file: String
    private var nodes = 0
    private(set) var faults: [PolicyFault]
    private(set) var aliases: Set<SourcePosition>

    init(_ bytes: [UInt8], file: String) throws(PolicyFault) {
        events = try YAMLEvents(bytes, file: file)
        // Swift 6.2 destroys twice what is set when this throws: all that needs destroying is set after the last `try`.
        faults = []
        aliases = []
        self.file = file
    }

    /// The root of the one document.
    mutating func document() throws(PolicyFault) -> YAMLNode {
        _ = try events.next()  // the start of the stream
        guard case .documentStart = try events.next().event else {
            throw fault(.start, "the file is empty", nil)
        }
        let root = try node(try events.next(), depth: 1)
        _ = try events.next()  // the end of the document
        let after = try events.next()
        guard case .streamEnd = after.event else {
            throw fault(after.position, "a second document begins here", "a file holds one")
        }
        return root
    }

    private mutating func node(_ found: YAMLEvents.Found, depth: Int) throws(PolicyFault) -> YAMLNode {
        nodes += 1
        guard depth <= YAMLDocument.deepestLevel else {
            throw fault(found.position, "nested deeper than \(YAMLDocument.deepestLevel) levels", nil)
        }
        guard nodes <= YAMLDocument.mostNodes else {
            throw fault(found.position, "more than \(YAMLDocument.mostNodes) values", nil)
        }
        if found.hasAnchor { refuse(found.position, "an anchor (&)", "write the value out where it is used") }
        if found.hasTag { refuse(found.position, "a tag (!)", "write the plain value") }
        switch found.event {
        case .scalar(let text, let quoted): return YAMLNode(.scalar(text, quoted: quoted), at: found.position)
        case .sequenceStart: return YAMLNode(.sequence(try elements(depth)), at: found.position)
        case .mappingStart: return YAMLNode(.mapping(try entries(depth)), at: found.position)
        default:
            refuse(found.position, "an alias (*)", "write the value out")
            aliases.insert(found.position)
            return YAMLNode(.scalar("", quoted: false), at: found.position)
        }
    }

    private mutating func elements(_ depth: Int) throws(PolicyFault) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let found = try events.next()
            if case .sequenceEnd = found.event { return elements }
            elements.append(try node(found, depth: depth + 1))
        }
    }

    private mutating func entries(_ depth: Int) throws(PolicyFault) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var positions: [String: SourcePosition] = [:]
        while true {
            let found = try events.next()
            if case .mappingEnd = found.event { return entries }
            let key = try node(found, depth: depth + 1)
            let value = try node(try events.next(), depth: depth + 1)
            guard let text = key.text else {
                faults.append(fault(key.position, "this key is not text", "a key is one word"))
                continue
            }
            if aliases.contains(key.position) { continue }
            if let first = positions[text] {
                let advice = "it was given in line \(first.line) already"
                faults.append(fault(key.position, "key \(text.quoted) is there twice", advice))
                continue
            }
            positions[text] = key.position
            entries.append(YAMLNode.Entry(key: text, position: key.position, value: value))
        }
    }

    private mutating func refuse(_ position: SourcePosition, _ what: String, _ advice: String) {
        faults.append(fault(position, "\(what) is not allowed here", advice))
    }

    private borrowing func fault(_ position: SourcePosition, _ problem: String, _ advice: String?) -> PolicyFault {
        PolicyFault(file: file, at: position, problem: problem, advice: advice)
    }
}
