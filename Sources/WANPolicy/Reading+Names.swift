extension Reading {
    /// The name of a network interface, as the kernel has it (`dev_valid_name`, net/core/dev.c: at most 15 bytes) and as nft
    /// text, ip(8) and sysctl paths can carry it without quoting.
    mutating func interface(_ field: Field?) -> String? {
        guard let field, let name = text(field, "the name of a network interface") else { return nil }
        if name.utf8.count > 15 {
            fault(
                field.position, "interface name \(name.quoted) has \(name.utf8.count) bytes",
                "Linux allows 15; see `ip -br link`")
        } else if name.isEmpty || name == "." || name == ".." || !name.utf8.allSatisfy(isNameByte) {
            fault(
                field.position, "\(name.quoted) is no interface name",
                "letters, digits, and . _ - are taken; see `ip -br link`")
        } else if name == "lo" {
            fault(field.position, "interface lo is the box itself")
        } else if name == "all" || name == "default" {
            // devinet.c, sysctl_dev_name_is_allowed(): no interface can have the name, and sysctl means others by it.
            fault(
                field.position,
                "\(name) is no interface: sysctl calls \(name == "all" ? "all of them" : "those to come") so",
                "name each interface; see `ip -br link`")
        } else {
            return name
        }
        return nil
    }

    /// A name that the policy gives: `[a-z][a-z0-9_-]{0,14}`, so that it fits into nft comments, file names and commands.
    mutating func givenName(_ name: String, of what: String, at position: SourcePosition) -> Bool {
        let bytes = Array(name.utf8)
        let isValid =
            (1...15).contains(bytes.count) && isLower(bytes[0])
            && bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == 0x5f || $0 == 0x2d }
        if !isValid {
            fault(
                position, "\(what) name \(name.quoted) cannot be used",
                "a small letter, then at most 14 of a-z 0-9 _ -")
        }
        return isValid
    }

    /// Text for people: one line, at most `limit` characters (60 is what a message quotes whole), nothing that has to be escaped where it is shown.
    mutating func label(_ field: Field?, limit: Int = 60) -> String? {
        guard let field, let text = text(field, "a short text") else { return nil }
        let isPlain = text.quoted == "\"\(text)\"" && !text.contains("\"") && !text.contains("\\")
        guard !text.isEmpty, text.unicodeScalars.count <= limit, isPlain else {
            fault(
                field.position, "\(field.name) \(text.quoted) cannot be used",
                "write 1 to \(limit) characters without quotes, backslashes and control characters")
            return nil
        }
        return text
    }
}

private func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
/// A letter, a digit, or one of `. _ -`.
func isNameByte(_ byte: UInt8) -> Bool {
    isLower(byte | 0x20) || isDigit(byte) || byte == 0x2e || byte == 0x5f || byte == 0x2d
}
