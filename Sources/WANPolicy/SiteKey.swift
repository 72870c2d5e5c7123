internal import LinuxIO
internal import WANModel

/// The secrets with which the boxes of a site sign what they tell each other (`vrrp.key`).
///
/// The first one signs, each one verifies: so a key is changed while every box goes on hearing the others.
package struct SiteKey: Hashable, Sendable {
    /// One or two, each of at least 32 printable bytes.
    package let secrets: [[UInt8]]

    /// As many hexadecimal digits hold 128 bits, which nobody guesses.
    private static let shortest = 32
    /// Of a file, in bytes.
    static let mostBytes = 4096
    static let advice = "make a secret by `openssl rand -hex 32`, and give every box the same file"

    /// What is wrong with the content of a key file, to follow its name.
    package struct Damage: Error, Hashable, Sendable {
        package var problem: String
    }

    /// A secret on each line; empty lines do not count.
    package init(parsing bytes: [UInt8]) throws(Damage) {
        var secrets: [[UInt8]] = []
        for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let secret = line.last == 13 ? line.dropLast() : line
            if secret.isEmpty { continue }
            guard secret.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw Damage(problem: "has something else than printable ASCII without spaces in line \(index + 1)")
            }
            guard secret.count >= Self.shortest else {
                throw Damage(
                    problem:
                        "has \(secret.count) characters in line \(index + 1), and a secret has \(Self.shortest) or more"
                )
            }
            secrets.append(Array(secret))
        }
        guard secrets.count <= 2 else {
            throw Damage(problem: "has \(secrets.count) secrets, and there is one, or two while it is changed")
        }
        guard !secrets.isEmpty else { throw Damage(problem: "is empty") }
        self.secrets = secrets
    }
}

/// Where a credential is: a systemd credential of that name (systemd.exec(5), LoadCredential=), else a file of that name beside the
/// policy; an absolute path is itself.
package func credentialPath(_ name: String, beside policy: String, _ environment: [String: String]) -> String {
    if name.hasPrefix("/") { return name }
    if let directory = environment["CREDENTIALS_DIRECTORY"], Files.exists("\(directory)/\(name)") {
        return "\(directory)/\(name)"
    }
    return policy.lastIndex(of: "/").map { "\(policy[..<$0])/\(name)" } ?? name
}

extension ReadPolicy {
    /// A key file as it was read.
    package struct FoundKey: Sendable {
        package var key: SiteKey
        package var path: String
        package var bytes: [UInt8]
    }

    /// The key of the site from this machine's files; `nil` where the policy names none.
    ///
    /// A file that cannot be read, or has no secret in it, is a fault of the policy.
    package func siteKey(_ environment: [String: String]) throws(PolicyFaults) -> FoundKey? {
        guard let (path, content) = keyFile(environment) else { return nil }
        switch content {
        case .success(let bytes): return FoundKey(key: try siteKey(bytes, from: path), path: path, bytes: bytes)
        case .failure(let error) where error.isTooLarge:
            throw keyFault("\(path.quoted), the key of the site, is longer than \(SiteKey.mostBytes) bytes")
        case .failure(let error) where error.isNoRegularFile:
            throw keyFault("\(path.quoted), the key of the site, is no regular file")
        case .failure(let error): throw keyFault("the key of the site cannot be read: \(error)")
        }
    }

    /// The key in these bytes.
    package func siteKey(_ bytes: [UInt8], from path: String) throws(PolicyFaults) -> SiteKey {
        do throws(SiteKey.Damage) {
            return try SiteKey(parsing: bytes)
        } catch {
            throw keyFault("\(path.quoted), the key of the site, \(error.problem)")
        }
    }

    /// What keeps the key from being judged here, where only the daemon sees it: a credential that its unit gives, a file that it alone
    /// may read. `nil` where it can be judged, or there is none.
    package func unseenKey(_ environment: [String: String]) -> PolicyFault? {
        guard let (path, content) = keyFile(environment), case .failure(let error) = content else { return nil }
        let isCredential = policy.vrrp?.key?.hasPrefix("/") == false && !Files.exists(path)
        guard isCredential || error.isNotPermitted else { return nil }
        return PolicyFault(
            file: fileName, at: keyPosition, problem: "the key of the site cannot be judged here: \(error)",
            advice: isCredential ? "the daemon's unit has to give it by LoadCredential=" : "check again as root",
            severity: .warning)
    }

    private func keyFile(
        _ environment: [String: String]
    ) -> (path: String, content: Result<[UInt8], SystemCallError>)? {
        guard let name = policy.vrrp?.key else { return nil }
        let path = credentialPath(name, beside: fileName, environment)
        do throws(SystemCallError) {
            return (path, .success(try Files.readRegular(path, limit: SiteKey.mostBytes)))
        } catch {
            return (path, .failure(error))
        }
    }

    private func keyFault(_ problem: String) -> PolicyFaults {
        PolicyFaults(
            [PolicyFault(file: fileName, at: keyPosition, problem: problem, advice: SiteKey.advice)],
            warnings: warnings, unsupported: unsupported())
    }
}
