extension Reading {
    /// A URL of one of the schemes: host, perhaps port and path; no user, no spaces, nothing unprintable.
    ///
    /// With `base`, other paths are put behind it: no query and no fragment then, and no slash at its end is kept.
    mutating func url(_ field: Field?, schemes: [String], base: Bool) -> String? {
        guard let field, let text = text(field, "a URL") else { return nil }
        let wanted = schemes.map { $0 + "://…" }.alternatives
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + "://") }),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c && $0 != 0x3c && $0 != 0x3e })
        else {
            fault(field.position, "\(field.name) \(text.quoted) is no URL that can be used", "write \(wanted)")
            return nil
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") {
            fault(field.position, "\(field.name) holds a user or password", "secrets belong into the credentials file")
            return nil
        }
        guard isHostAndPort(String(authority)) else {
            fault(
                field.position, "\(field.name) \(text.quoted) names no host",
                "write \(schemes[schemes.count - 1])://HOST or \(schemes[schemes.count - 1])://HOST:PORT")
            return nil
        }
        guard base else { return text }
        if rest.contains("?") || rest.contains("#") {
            fault(field.position, "\(field.name) \(text.quoted) has more than a path", "leave out what follows ? or #")
            return nil
        }
        return String(text.reversed().drop { $0 == "/" }.reversed())
    }

    private func isHostAndPort(_ authority: String) -> Bool {
        var host = authority[...]
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.allSatisfy(\.isWholeNumber), let port = UInt16(digits), port > 0 else { return false }
            host = authority[..<colon]
        }
        if host.first == "[", host.last == "]" {
            return host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return !host.isEmpty && host.count <= 253
            && host.allSatisfy { $0.isLetter || $0.isWholeNumber || $0 == "." || $0 == "-" }
    }
}
