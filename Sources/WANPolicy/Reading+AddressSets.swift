internal import NetworkTypes
internal import WANModel

extension Reading {
    /// One address, prefix or range, a list of them, or `{file: streaming.txt}`.
    mutating func addressSet(_ field: Field?, path: String) -> AddressSet? {
        guard let field, !isMissing(field) else { return nil }
        switch field.node.content {
        case .scalar: return range(field).map { AddressSet($0.map { [$0] } ?? []) }
        case .sequence:
            guard let elements = elements(field, limit: Self.mostElements) else { return nil }
            let ranges = elements.map { range($0) }
            // What a fault left out must not make the others a set of their own: the rule is not used then anyway.
            return AddressSet(ranges.compactMap { $0 ?? nil })
        case .mapping: return fileSet(field, path: path)
        }
    }

    /// More are wanted in a file.
    private static let mostElements = 4096
    /// Of all files together, so that a policy stays within a few MB.
    private static let mostLinesInAll = 262_144

    /// `nil` after a fault; nothing in it for an IPv6 one, which no rule can match yet.
    private mutating func range(_ field: Field) -> ClosedRange<UInt32>?? {
        guard let text = text(field, "a network such as 192.168.0.0/24") else { return nil }
        switch AddressText.read(text) {
        case .v4(let range): return range
        case .v6:
            use(.ipv6, at: field.position)
            return .some(nil)
        case .faulty(let problem, let advice):
            fault(field.position, "\(field.name) \(problem)", advice)
            return nil
        }
    }

    private mutating func fileSet(_ field: Field, path: String) -> AddressSet? {
        guard let section = section(field, .addressFile, path: path) else { return nil }
        guard let name = section["file"], let text = text(name, "the name of a file") else { return nil }
        guard !text.isEmpty, text.utf8.count < 4096,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            let advice = "name a file beside the policy, such as hosts.txt"
            fault(name.position, "file \(text.quoted) is no file name", advice)
            return nil
        }
        if let known = addressFiles[text] { return known }
        let set = read(text, at: name.position) ?? AddressSet([], file: text)
        addressFiles[text] = set
        return set
    }

    private mutating func read(_ name: String, at position: SourcePosition) -> AddressSet? {
        let path = pathBeside(name)
        let file: AddressFile
        switch files.read(path, AddressFile.mostBytes) {
        case .success(let bytes):
            file = AddressFile(reading: bytes)
            readFiles.append(ReadFile(path: path, bytes: bytes))
        case .failure(.tooLarge):
            fault(
                position, "\(path.quoted) is too large",
                "at most \(ByteSize(bytes: Int64(AddressFile.mostBytes))) are read")
            return nil
        case .failure(.unreadable(let reason)):
            fault(position, "cannot read \(path.quoted): \(reason)", "file names count from the policy's directory")
            return nil
        }
        for found in file.faults { fault(found.position, found.problem, found.advice, in: path) }
        addressLines += file.lines
        if addressLines > Self.mostLinesInAll, addressLines - file.lines <= Self.mostLinesInAll {
            fault(position, "the files of this policy have more than \(Self.mostLinesInAll) lines", AddressFile.advice)
        }
        if let position = file.ipv6 { use(.ipv6, at: position, in: path) }
        guard file.faults.isEmpty, addressLines <= Self.mostLinesInAll else { return nil }
        if file.ranges.isEmpty, file.ipv6 == nil {
            fault(position, "\(path.quoted) holds no address", "a line holds one, or a network, or a range")
            return nil
        }
        return AddressSet(file.ranges, file: name)
    }

    /// A name as the policy has it, from the policy's own directory.
    private func pathBeside(_ name: String) -> String {
        guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }
}
