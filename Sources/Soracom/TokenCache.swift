package import LinuxIO

/// Tokens in memory and, if there is a file, beyond the life of this process.
///
/// The file is open from the start, since after the change of user nobody may open it any more, and written in place for
/// the same reason. A class: the API and the courier look at the same tokens.
package final class TokenCache {
    private var table: TokenTable
    private let file: OwnedDescriptor?
    /// Why the last write failed; the tokens in memory are good all the same.
    package private(set) var writeError: SystemCallError?

    private static let limit = 256 << 10

    /// A cache without file.
    package init() {
        table = TokenTable()
        file = nil
    }

    package init(file: consuming OwnedDescriptor) throws(SystemCallError) {
        table = TokenTable(parsing: try Files.contents(of: file, limit: Self.limit))
        self.file = consume file
    }

    package subscript(_ account: Account) -> Token? {
        get { table[account] }
        set {
            guard table[account] != newValue else { return }
            table[account] = newValue
            save()
        }
    }

    private func save() {
        switch file {
        case .some(let file):
            do {
                try Files.overwrite(file, with: Array(table.text.utf8))
                writeError = nil
            } catch {
                writeError = error
            }
        case .none: return
        }
    }
}
