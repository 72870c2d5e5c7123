import LinuxIO
import Soracom
import TestSupport

extension Bench {
    /// Makes the one token in the cache look as if it had been got so many seconds ago; gives its new expiry.
    func ageToken(by seconds: Int64) throws -> Int64 {
        let account = Account(endpoint: api, authKeyID: Self.keyID)
        var table = TokenTable(parsing: Array(try Files.text(cachePath).utf8))
        guard var token = table[account] else {
            throw SystemCallError(call: "read(2)", errno: 0, subject: "\(cachePath) holds no token")
        }
        token.issued -= seconds
        token.expires -= seconds
        table[account] = token
        _ = try directory.write(table.text, to: "tokens.json", mode: 0o600)
        return token.expires
    }
}
