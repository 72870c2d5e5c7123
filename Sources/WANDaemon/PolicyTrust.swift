package import LinuxIO

/// Who else could change the policy of a router: told, and never a reason to refuse it.
package enum PolicyTrust {
    static func warnings(of paths: [String]) -> [String] {
        paths.flatMap { path in FileTrust(path).map { warnings(of: path, $0, user: FileTrust.ownUser) } ?? [] }
    }

    /// The same of a file whose content is a secret, who could read it included.
    static func warnings(ofSecret path: String) -> [String] {
        FileTrust(path).map { warnings(ofSecret: path, $0, user: FileTrust.ownUser) } ?? []
    }

    package static func warnings(ofSecret path: String, _ file: FileTrust, user: UInt32) -> [String] {
        let found = warnings(of: path, file, user: user)
        guard file.mode & 0o004 != 0 else { return found }
        return found + ["\(path) holds secrets and can be read by everybody: run `chmod o-rwx \(path)`"]
    }

    /// `user`: whom the daemon runs as.
    package static func warnings(of path: String, _ file: FileTrust, user: UInt32) -> [String] {
        var found: [String] = []
        let inside = file.directory.hasSuffix("/") ? file.directory : file.directory + "/"
        if !file.place.hasPrefix(inside) {
            found.append(
                "\(path) is a link to \(file.place), out of its directory: who may write there rules this router")
        }
        if file.mode & 0o022 != 0 {
            let who = file.mode & 0o002 != 0 ? "everybody" : "its group"
            found.append("\(path) can be written by \(who): run `chmod go-w \(path)`")
        }
        if file.owner != 0, file.owner != user {
            found.append(
                "\(path) belongs to user \(file.owner), who is neither root nor the daemon's: run `chown root \(path)`")
        }
        return found
    }
}
