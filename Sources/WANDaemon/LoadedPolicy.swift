internal import LinuxIO
package import WANControl
internal import WANModel
package import WANPolicy

/// The policy in force and where it came from.
package struct LoadedPolicy {
    /// What this box obeys.
    let policy: Policy
    /// What the file says, of all boxes.
    let sitePolicy: Policy
    /// `nil` where the policy has no nodes.
    let position: SitePosition?
    let path: String
    let sha256: String
    let loadedAt: Int64
    package private(set) var warnings: [String]
    /// All that was read, the policy first. The key of the site is here by the name that the policy has for it.
    package let files: [ReadFile]
    /// With which the boxes of the site sign their words; `nil` where the policy names none.
    package let key: SiteKey?

    /// A fingerprint of what the boxes of a site must agree on, so that one of them gets the address and no two want it.
    var siteFingerprint: String {
        let parts =
            sitePolicy.nodes.map { "\($0.name) \($0.address)" }
            + sitePolicy.siteOrder.map { "\($0) \(sitePolicy.uplink(named: $0)?.node ?? "")" }
            + (sitePolicy.vrrp.map { ["\($0.address) \($0.routerID) \($0.priority)"] } ?? [])
        return String(WANDaemon.sha256(Array(parts.joined(separator: "\n").utf8)).prefix(12))
    }

    /// Reads and checks a policy for this release: every fault at once, and what it cannot obey is refused in words.
    ///
    /// - Parameter isTrial: It will not be obeyed: a key that only the daemon can see is no fault.
    package static func load(
        _ path: String, node: String, _ environment: [String: String] = environmentVariables(), isTrial: Bool = false
    ) throws(ControlRefusal) -> LoadedPolicy {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try Files.read(path)
        } catch {
            throw ControlRefusal(.policy, "cannot read the policy: \(error)")
        }
        var unseen: PolicyFault?
        var keyPath: String?
        var loaded = try load(bytes, path, files: .onDisk, node: node) { read throws(PolicyFaults) in
            unseen = isTrial ? read.unseenKey(environment) : nil
            guard unseen == nil, let found = try read.siteKey(environment) else { return nil }
            keyPath = found.path
            return (found.key, found.bytes)
        }
        loaded.warnings += unseen.map { [$0.text] } ?? []
        loaded.warnings += PolicyTrust.warnings(of: loaded.files.map(\.path).filter { $0 != loaded.policy.vrrp?.key })
        loaded.warnings += keyPath.map { PolicyTrust.warnings(ofSecret: $0) } ?? []
        return loaded
    }

    /// The same of what was kept.
    package static func load(_ kept: KeptPolicy) throws(ControlRefusal) -> LoadedPolicy {
        let files = Dictionary(kept.files.map { ($0.path, $0.bytes) }) { first, _ in first }
        let source = PolicyFiles { path, limit in
            guard let bytes = files[path] else { return .failure(.unreadable("it was not kept")) }
            return bytes.count <= limit ? .success(bytes) : .failure(.tooLarge)
        }
        return try load(
            kept.files.first?.bytes ?? [], kept.path, files: source, node: kept.node
        ) { read throws(PolicyFaults) in
            guard let name = read.policy.vrrp?.key else { return nil }
            let bytes = files[name] ?? []
            return (try read.siteKey(bytes, from: name), bytes)
        }
    }

    private static func load(
        _ bytes: [UInt8], _ path: String, files: PolicyFiles, node: String,
        key findKey: (ReadPolicy) throws(PolicyFaults) -> (key: SiteKey, bytes: [UInt8])?
    ) throws(ControlRefusal) -> LoadedPolicy {
        let read: ReadPolicy
        let key: (key: SiteKey, bytes: [UInt8])?
        do throws(PolicyFaults) {
            read = try PolicyReader.read(bytes, fileName: path, files: files)
            key = try findKey(read)
        } catch {
            let count = error.faults.count
            throw ControlRefusal(
                .policy, "the policy has \(count) fault\(count == 1 ? "" : "s")",
                details: error.faults.map(\.description))
        }
        let refused = read.unsupported()
        guard refused.isEmpty else {
            throw ControlRefusal(
                .policy, "the policy asks for what this release cannot do yet", details: refused.map(\.description))
        }
        let part: Policy
        let position: SitePosition?
        do throws(UnknownNode) {
            part = try read.policy.part(of: node)
            position = try read.policy.position(of: node)
        } catch {
            throw ControlRefusal(.policy, "the policy is not for this box", details: [error.description])
        }
        var found = [ReadFile(path: path, bytes: bytes)] + read.files
        if let name = read.policy.vrrp?.key, let key { found.append(ReadFile(path: name, bytes: key.bytes)) }
        return LoadedPolicy(
            policy: part, sitePolicy: read.policy, position: position, path: path, sha256: WANDaemon.sha256(bytes),
            loadedAt: Clock.realtime(), warnings: read.warnings.map(\.text), files: found, key: key?.key)
    }
}
