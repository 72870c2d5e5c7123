import LinuxIO
import Soracom

/// The courier's life: take what it may take, give all rights up, run errands until the daemon hangs up.
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
        let credentials = environmentVariables()["CREDENTIALS_DIRECTORY"]
        do {
            try Privileges.forgetParent()
            if let path = options.listen {
                try Listener(path, options).run()
            } else {
                try serve(options, Profiles(options.credentials, in: credentials))
            }
        } catch {
            log(.error, "\(error), leaving")
            leave(1)
        }
    }

    /// Serves who is at the other end of standard input.
    private static func serve(_ options: Options, _ profiles: Profiles) throws {
        let connection = OwnedDescriptor(taking: 0)
        if let refusal = try options.refusal(of: connection) { throw Options.Fault(text: refusal) }
        let cache = try openCache(options.tokenCache)
        try renounce(options)
        try confine(reading: profiles.directory)
        SignalReader.ignoreFailedWrites()
        // A newer request comes over another connection: this one may then hang for as long as it likes in libcurl.
        try UnixStream.endWithPeer(of: connection)
        var handler = RequestHandler(profiles: profiles, cache: cache)
        try serve(&handler, LineSocket(taking: connection), idle: options.idle)
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
            let (user, group) = try options.number(of: options.user, option: "--user")
            guard user != 0 else { throw Options.Fault(text: "--user \(options.user): not a user to become") }
            try Privileges.become(user: user, group: group)
        }
        try Privileges.renounceAll()
        try Privileges.dieWithParent()
    }

    /// What libcurl, TLS and the resolver read stays readable. Nothing stays writable but the token's file, which is open.
    private static func confine(reading credentials: String?) throws {
        // A switch writes the list of name servers anew, and the resolver then reads the new file.
        let nameServers = FileTrust("/etc/resolv.conf").flatMap { file in
            file.place.lastIndex(of: "/").map { String(file.place[..<$0]) }
        }.flatMap { $0 == "/etc" ? nil : $0 }
        let version = try Landlock.confine(
            reading: [
                "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache",
                "/etc/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/dev/urandom",
                "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
                "/etc/services",
            ] + [nameServers, credentials].compactMap(\.self), writing: [])
        if version == 0 { log(.warning, "this kernel has no Landlock: file permissions alone confine the courier") }
    }

    private static func serve(
        _ handler: inout RequestHandler, _ peer: consuming LineSocket, idle: Int64
    ) throws {
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
