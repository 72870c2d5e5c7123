/// Names of differentiated services code points, as IANA's registry has them in small letters (nft(8) takes most of them too).
package enum DSCP {
    /// In the order of their numbers.
    package static let names: [(name: String, number: UInt8)] = [
        ("cs0", 0), ("le", 1), ("cs1", 8), ("af11", 10), ("af12", 12), ("af13", 14), ("cs2", 16), ("af21", 18),
        ("af22", 20), ("af23", 22), ("cs3", 24), ("af31", 26), ("af32", 28), ("af33", 30), ("cs4", 32), ("af41", 34),
        ("af42", 36), ("af43", 38), ("cs5", 40), ("va", 44), ("ef", 46), ("cs6", 48), ("cs7", 56),
    ]

    package static func number(named name: String) -> UInt8? { names.first { $0.name == name }?.number }

    /// The name, or the number where it has none.
    package static func text(_ number: UInt8) -> String { names.first { $0.number == number }?.name ?? "\(number)" }
}
