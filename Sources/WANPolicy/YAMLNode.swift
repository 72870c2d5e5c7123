/// A value of a YAML text, with the position where it stands.
///
/// Scalars stay text: what a plain `25m` or `off` means is for the reader of the field to say, not for a schema.
struct YAMLNode: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        /// `quoted` is any style but plain, block scalars too: a quoted scalar is never null.
        case scalar(String, quoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; keys are distinct.
        case mapping([Entry])
    }

    struct Entry: Hashable, Sendable {
        var key: String
        /// The position of the key.
        var position: SourcePosition
        var value: YAMLNode
    }

    var content: Content
    var position: SourcePosition

    init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
    var elements: [YAMLNode]? { if case .sequence(let elements) = content { elements } else { nil } }
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// Nothing, `~` or `null`, unquoted (YAML 1.2.2 section 10.2.1.1).
    var isNull: Bool {
        if case .scalar(let text, quoted: false) = content {
            ["", "~", "null", "Null", "NULL"].contains(text)
        } else {
            false
        }
    }
}
