import LinuxIO
import Soracom

/// The courier's life: take what root may take, become nobody, run errands, leave.
@main
enum Main {
    static func main() {
        let options: Options
        do {
            options = try Options(Array(CommandLine.arguments.dropFirst()))
        } catch {
            log(.error, "\(error.text)\n\(Options.usage)")
            leave(64)
        }
        do {
            try Privileges.forgetParent()
            let profiles = Profiles(options.credentials)
            let cache = try openCache(options.tokenCache)
            try renounce(options)
            var handler = RequestHandler(profiles: profiles, cache: cache)
            try serve(&handler, idle: options.idle)
        } catch {
            log(.error, "\(error), leaving")
            leave(1)
        }
    }

    /// A cache that cannot be opened or read costs a sign-in, not the errand.
    private static func openCache(_ path: String?) throws -> TokenCache {
        guard let path else {
            try Privileges.closeDescriptors(from: 3)
            return TokenCache()
        }
        do {
            // At a known number, so that all above it can be closed.
            let file = try Files.openSecretStore(path).moved(to: 3)
            try Privileges.closeDescriptors(from: 4)
            return try TokenCache(file: file)
        } catch {
            log(.warning, "token cache: \(error), going on without it")
            try Privileges.closeDescriptors(from: 3)
            return TokenCache()
        }
    }

    private static func renounce(_ options: Options) throws {
        if Privileges.isRoot {
            // The name is given where the system's user table may lack it (a small container): nobody is 65534 everywhere.
            guard
                let (user, group) = Privileges.user(options.user) ?? (options.user == "nobody" ? (65534, 65534) : nil),
                user != 0
            else { throw Options.Fault(text: "--user \(options.user): not a user to become") }
            try Privileges.become(user: user, group: group)
        }
        try Privileges.renounceAll()
        try Privileges.dieWithParent()
        SignalReader.ignoreFailedWrites()
    }

    private static func serve(_ handler: inout RequestHandler, idle: Int64) throws {
        var peer = LineSocket(taking: OwnedDescriptor(taking: 0))
        while true {
            switch try peer.next(until: Clock.boottime() + idle * 1_000_000_000) {
            case .line(let line): try peer.send(handler.answer(to: line))
            case .ended, .timeout: return
            case .tooLong:
                log(.error, "a request longer than a line may be, leaving")
                leave(1)
            }
        }
    }
}
