/// A value of a YAML text, with the position where it stands.
///
/// Scalars stay text: what a plain `25m` or `off` means is for the reader of the field to say, not for a schema.
package struct YAMLNode: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// `quoted` is any style but plain, block scalars too: a quoted scalar is never null.
        case scalar(String, quoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; keys are distinct.
        case mapping([Entry])
    }

    package struct Entry: Hashable, Sendable {
        package var key: String
        /// The position of the key.
        package var position: SourcePosition
        package var value: YAMLNode

        package init(key: String, position: SourcePosition, value: YAMLNode) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    package var content: Content
    package var position: SourcePosition

    package init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// The value of a mapping's key; `nil` where this is no mapping or has no such key.
    package subscript(_ key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }

    package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
    package var elements: [YAMLNode]? { if case .sequence(let elements) = content { elements } else { nil } }
    package var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// Nothing, `~` or `null`, unquoted (YAML 1.2.2 section 10.2.1.1).
    package var isNull: Bool {
        if case .scalar(let text, quoted: false) = content {
            ["", "~", "null", "Null", "NULL"].contains(text)
        } else {
            false
        }
    }

    /// A plain `true` or `false` (YAML 1.2.2 section 10.2.1.2); `yes` and `on` are text.
    package var boolean: Bool? {
        switch content {
        case .scalar("true", quoted: false): true
        case .scalar("false", quoted: false): false
        default: nil
        }
    }

    /// A plain decimal number.
    package var integer: Int? { if case .scalar(let text, quoted: false) = content { Int(text) } else { nil } }
}
