import Soracom

/// The credential files named at the start, read while we still could.
struct Profiles {
    private var profiles: [String: Result<Profile, ProfileFault>] = [:]

    init(_ paths: [String]) {
        for path in paths {
            do {
                profiles[path] = .success(try Profile.read(path))
            } catch {
                log(.warning, "credentials: \(error.text), so the SORACOM API cannot be asked with them")
                profiles[path] = .failure(error)
            }
        }
    }

    subscript(_ path: String) -> Result<Profile, ProfileFault> {
        profiles[path] ?? .failure(ProfileFault("\(path) was not given to the courier when it started"))
    }
}
