/// What was wrong with bytes from a socket, and at which offset of the part that was read.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: Hashable, Sendable {
        /// More bytes were promised or needed than there are.
        case truncated(needed: Int, available: Int)
        /// A length field that cannot be true.
        case badLength(Int)
        /// A field with a value that has no meaning here.
        case badValue(field: String, value: Int)
        case badChecksum
    }
    package var problem: Problem
    package var offset: Int

    package init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    package var description: String {
        switch problem {
        case .truncated(let needed, let available): "offset \(offset): needs \(needed) bytes, has \(available)"
        case .badLength(let length): "offset \(offset): impossible length \(length)"
        case .badValue(let field, let value): "offset \(offset): \(field) \(value) has no meaning here"
        case .badChecksum: "offset \(offset): wrong checksum"
        }
    }
}
