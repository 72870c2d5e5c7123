internal import WANModel

/// A policy while it is read: what is wrong so far, and where its parts stand.
///
/// Every reader of a field returns `nil` for what it could not use, after it has said why; the default then stands in, so that
/// one fault never hides or causes another.
struct Reading {
    let file: String
    let files: PolicyFiles
    private(set) var faults: [PolicyFault] = []
    private(set) var warnings: [PolicyFault] = []
    /// Where each known key stands: `uplinks.ftth.interface`.
    var positions: [String: SourcePosition] = [:]
    /// Where parts stand whose behaviour a release may not have.
    var parts: [PolicyPart.Use] = []
    /// The uplinks by name, those with faults too, so that nothing that names one is called unknown for another reason.
    var uplinks: Set<String> = []
    /// The first of them in the order of the file, for advice.
    var firstUplinks: [String] = []
    var nodes: [String] = []
    /// Which uplink has an interface.
    var interfacesOfUplinks: [String: String] = [:]
    var lanInterfaces: [String] = []
    /// The bits of marks that are ours.
    var ourMask = MarkLayout().mask
    /// What was read from files of addresses, by the name the policy has for them; nothing after a fault.
    var addressFiles: [String: AddressSet] = [:]
    /// The same files as they are.
    var readFiles: [ReadFile] = []
    /// Their lines, all together.
    var addressLines = 0

    init(file: String, files: PolicyFiles) {
        self.file = file
        self.files = files
    }

    /// `other` is a file that the policy names, where the fault is not in the policy itself.
    mutating func fault(_ position: SourcePosition, _ problem: String, _ advice: String? = nil, in other: String? = nil)
    {
        faults.append(PolicyFault(file: other ?? file, at: position, problem: problem, advice: advice))
    }

    mutating func warn(_ position: SourcePosition, _ problem: String, _ advice: String? = nil) {
        warnings.append(PolicyFault(file: file, at: position, problem: problem, advice: advice, severity: .warning))
    }

    /// Notes that the policy uses a part, the first time.
    mutating func use(_ part: PolicyPart, at position: SourcePosition, in other: String? = nil) {
        if !parts.contains(where: { $0.part == part }) {
            parts.append(PolicyPart.Use(part: part, file: other ?? file, position: position))
        }
    }

    /// A fault about a name that nothing has, with the one that was probably meant.
    ///
    /// Advice ends where nobody reads on: finding the nearest name is the dearest thing done here, and a file may be hostile.
    mutating func unknown(_ what: String, _ name: String, at position: SourcePosition, known: [String]) {
        let advice: String? =
            if faults.count >= 4 * PolicyFaults.shown {
                nil
            } else if let nearest = NearestName.of(name, among: known) {
                "did you mean \(nearest.quoted)?"
            } else if known.isEmpty {
                "there is none"
            } else {
                "known: " + known.prefix(16).joined(separator: ", ") + (known.count > 16 ? ", …" : "")
            }
        fault(position, "unknown \(what) \(name.quoted)", advice)
    }
}

/// A value and the name a message calls it by.
struct Field {
    let name: String
    let node: YAMLNode

    var position: SourcePosition { node.position }
}

/// A mapping of which the keys are known.
struct Section {
    /// Where messages about the whole point: its key, or its first character in a list.
    let position: SourcePosition
    private let values: [String: (key: SourcePosition, value: YAMLNode)]

    fileprivate init(position: SourcePosition, entries: [YAMLNode.Entry]) {
        self.position = position
        values = Dictionary(entries.map { ($0.key, ($0.position, $0.value)) }) { first, _ in first }
    }

    subscript(_ key: String) -> Field? { values[key].map { Field(name: key, node: $0.value) } }

    func keyPosition(_ key: String) -> SourcePosition? { values[key]?.key }
}

extension Reading {
    /// The mapping in a field; keys it must not have are faults, and are left out.
    mutating func section(
        _ field: Field?, _ kind: PolicySection, path: String, at position: SourcePosition? = nil
    ) -> Section? {
        guard let field, let entries = entries(field) else { return nil }
        let keys = kind.keys
        var known: [YAMLNode.Entry] = []
        for entry in entries {
            if keys.contains(entry.key) {
                known.append(entry)
                positions[path.isEmpty ? entry.key : "\(path).\(entry.key)"] = entry.position
            } else {
                unknown("key", entry.key, at: entry.position, known: keys)
            }
        }
        return Section(position: position ?? field.position, entries: known)
    }

    /// The entries of a field that must be a mapping with at least one.
    mutating func entries(_ field: Field) -> [YAMLNode.Entry]? {
        if isMissing(field) { return nil }
        guard let entries = field.node.entries else {
            fault(field.position, "\(field.name) must hold keys and values", "not \(field.node.kind)")
            return nil
        }
        if entries.isEmpty { fault(field.position, "\(field.name) is empty", "give it a value or remove it") }
        return entries.isEmpty ? nil : entries
    }

    /// The elements of a field that must be a list with at least one and at most `limit`.
    mutating func elements(_ field: Field?, limit: Int) -> [Field]? {
        guard let field, !isMissing(field) else { return nil }
        guard let elements = field.node.elements else {
            let text = field.node.text.map { ", such as [\($0)]" } ?? ", not \(field.node.kind)"
            fault(field.position, "\(field.name) must be a list\(text)")
            return nil
        }
        if elements.isEmpty { fault(field.position, "\(field.name) is empty", "give it a value or remove it") }
        if elements.count > limit {
            fault(field.position, "\(field.name) has \(elements.count) elements", "at most \(limit) are allowed")
        }
        return elements.prefix(limit).map { Field(name: field.name, node: $0) }
    }

    /// Whether a key stands there without a value, which is a fault: it may mean its default, or nothing at all.
    mutating func isMissing(_ field: Field) -> Bool {
        if field.node.isNull { fault(field.position, "\(field.name) has no value", "give it one or remove it") }
        return field.node.isNull
    }
}

extension YAMLNode {
    /// What this is, in a sentence.
    var kind: String {
        switch content {
        case .scalar(let text, _): text.quoted
        case .sequence: "a list"
        case .mapping: "keys and values"
        }
    }
}
