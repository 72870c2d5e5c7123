internal import WANModel

// Readers of single values. Each takes the field or its absence, and returns nothing for an absent field without a word.

extension Reading {
    /// Text that is there; `what` is what it should have been, with its article.
    mutating func text(_ field: Field?, _ what: String) -> String? {
        guard let field, !isMissing(field) else { return nil }
        guard let text = field.node.text else {
            fault(field.position, "\(field.name) must be \(what)", "not \(field.node.kind)")
            return nil
        }
        return text
    }

    mutating func duration(_ field: Field?, in range: ClosedRange<Duration>) -> Duration? {
        guard let field, let text = text(field, "a duration such as 30s") else { return nil }
        let bounds = "it may be \(range.lowerBound.durationText) to \(range.upperBound.durationText)"
        do throws(QuantityFault) {
            let value = try Duration(policyText: text)
            if range.contains(value) { return value }
            fault(
                field.position, "\(field.name) \(text) is too \(value < range.lowerBound ? "short" : "long")", bounds)
        } catch {
            let form = "write a number and ms, s, m or h, such as 30s"
            explain(error, text, field, what: "duration", form: form, unit: "s", units: "ms, s, m or h", bounds: bounds)
        }
        return nil
    }

    /// An amount of data.
    mutating func size(_ field: Field?, in range: ClosedRange<ByteSize>) -> ByteSize? {
        guard let field, let text = text(field, "a size such as 50MB") else { return nil }
        let bounds = "it may be \(range.lowerBound) to \(range.upperBound)"
        do throws(QuantityFault) {
            let size = try ByteSize(policyText: text)
            if range.contains(size) { return size }
            fault(field.position, "\(field.name) \(text) is too \(size < range.lowerBound ? "small" : "large")", bounds)
        } catch {
            let units = "B, kB, MB, GB, or KiB, MiB, GiB"
            let form = "write a number and its unit, such as 50MB"
            explain(error, text, field, what: "size", form: form, unit: "MB", units: units, bounds: bounds)
        }
        return nil
    }

    private mutating func explain(
        _ problem: QuantityFault, _ text: String, _ field: Field, what: String, form: String, unit: String,
        units: String, bounds: String
    ) {
        let quantity = "\(field.name) \(text.quoted)"
        switch problem {
        case .noNumber: fault(field.position, "\(quantity) is no \(what)", form)
        case .noUnit: fault(field.position, "\(quantity) has no unit", "write \(text)\(unit), or \(text) with \(units)")
        case .unknownUnit(let unit):
            fault(field.position, "\(quantity): unknown unit \(unit.quoted)", "units are \(units)")
        case .tooLarge: fault(field.position, "\(quantity) cannot be counted", bounds)
        }
    }

    /// A share of 1, written as a percentage.
    mutating func percentage(_ field: Field?) -> Double? {
        guard let field, let text = text(field, "a percentage such as 20%") else { return nil }
        let number = text.dropLast()
        let isPlain = number.allSatisfy { $0.isASCII && ($0.isWholeNumber || $0 == ".") } && number.first != "."
        guard text.last == "%", isPlain, let value = Double(number) else {
            fault(field.position, "\(field.name) \(text.quoted) is no percentage", "write a number and %, such as 20%")
            return nil
        }
        guard value > 0, value <= 100 else {
            fault(field.position, "\(field.name) \(text) is out of range", "it may be more than 0% and up to 100%")
            return nil
        }
        return value / 100
    }

    /// A whole number, decimal or with `0x` hexadecimal; a leading zero is refused, since YAML 1.1 reads it as octal.
    mutating func integer(_ field: Field?, in range: ClosedRange<Int>, hex: Bool = false) -> Int? {
        guard let field, let text = text(field, "a whole number") else { return nil }
        let isHex = text.hasPrefix("0x")
        let digits = isHex ? text.dropFirst(2) : text[...]
        let isPlain =
            digits.allSatisfy { $0.isASCII && $0.isHexDigit } && (isHex || digits.first != "0" || digits == "0")
        guard isPlain, isHex == hex || !isHex, let value = Int(digits, radix: isHex ? 16 : 10) else {
            fault(
                field.position, "\(field.name) \(text.quoted) is no whole number",
                hex ? "write it like 0x00ff0000" : "it may be \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        guard range.contains(value) else {
            let (low, high) = (range.lowerBound, range.upperBound)
            fault(
                field.position, "\(field.name) \(text) is out of range",
                hex
                    ? "it may be 0x\(String(low, radix: 16)) to 0x\(String(high, radix: 16))"
                    : "it may be \(low) to \(high)")
            return nil
        }
        return value
    }

    /// `true` or `false`; the other words of YAML 1.1 are refused, since half of the world reads them as text.
    mutating func boolean(_ field: Field?) -> Bool? {
        guard let field, let text = text(field, "true or false") else { return nil }
        if text == "true" || text == "false" { return text == "true" }
        let meant: Bool? =
            switch text.lowercased() {
            case "yes", "on", "true", "y", "1": true
            case "no", "off", "false", "n", "0": false
            default: nil
            }
        fault(
            field.position, "\(field.name) must be true or false, not \(text.quoted)", meant.map { "write \($0)" })
        return nil
    }

    /// One word of a fixed set.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ field: Field?, of type: Word.Type) -> Word?
    where Word.RawValue == String {
        let known = Word.allCases.map(\.rawValue)
        guard let field, let text = text(field, known.alternatives) else { return nil }
        if let word = Word(rawValue: text) { return word }
        let nearest = NearestName.of(text, among: known).map { "did you mean \($0.quoted)?" }
        fault(field.position, "\(field.name) must be \(known.alternatives), not \(text.quoted)", nearest)
        return nil
    }

    /// A list of words of a fixed set, none twice.
    mutating func words<Word: RawRepresentable & CaseIterable & Hashable>(
        _ field: Field?, of type: Word.Type
    ) -> [Word]? where Word.RawValue == String {
        guard let elements = elements(field, limit: Word.allCases.count * 2) else { return nil }
        var words: [Word] = []
        for element in elements {
            guard let word = word(element, of: type) else { continue }
            if words.contains(word) {
                fault(element.position, "\(word.rawValue) is in \(element.name) twice", "remove one")
            } else {
                words.append(word)
            }
        }
        return words.isEmpty ? nil : words
    }
}

extension Duration {
    /// As `policyText`, with zero in the unit people use for it.
    var durationText: String { self == .zero ? "0s" : policyText }
}

extension [String] {
    /// `a, b or c`.
    var alternatives: String {
        count < 2 ? joined() : dropLast().joined(separator: ", ") + " or " + self[count - 1]
    }
}
