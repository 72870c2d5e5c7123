import LinuxIO
import Soracom

/// The AuthKeys by their names: files named at the start, read while we still could, and the credentials that systemd gave.
struct Profiles {
    private var profiles: [String: Result<Profile, ProfileFault>] = [:]
    /// Where systemd has put credentials for this service, for us to read (systemd.exec(5), $CREDENTIALS_DIRECTORY).
    let directory: String?

    init(_ paths: [String], in directory: String?) {
        self.directory = directory
        for path in paths {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            profiles[name] = read(path)
        }
    }

    subscript(_ name: String) -> Result<Profile, ProfileFault> {
        if let known = profiles[name] { return known }
        if let directory, !name.contains("/"), !name.hasPrefix("."), Files.exists("\(directory)/\(name)") {
            return read("\(directory)/\(name)")
        }
        return .failure(
            ProfileFault("the courier has none of the name \(name): put them into /etc/credstore/\(name), mode 0600"))
    }

    private func read(_ path: String) -> Result<Profile, ProfileFault> {
        do {
            return .success(try Profile.read(path))
        } catch {
            log(.warning, "credentials: \(error.text), so the SORACOM API cannot be asked with them")
            return .failure(error)
        }
    }
}
