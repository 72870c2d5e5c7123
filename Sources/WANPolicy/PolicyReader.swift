package import WANModel

/// A policy that is in order, and where its parts stand in the file.
package struct ReadPolicy: Sendable {
    package let policy: Policy
    /// What is valid but hardly meant, in the order of the file.
    package let warnings: [PolicyFault]
    package let fileName: String
    /// The other files that it names, as they were read.
    package let files: [ReadFile]
    private let parts: [PolicyPart.Use]
    /// Of `vrrp.key`.
    let keyPosition: SourcePosition

    fileprivate init(_ policy: Policy, from reading: Reading) {
        self.policy = policy
        warnings = reading.warnings.inOrder(from: reading.file)
        fileName = reading.file
        files = reading.readFiles
        parts = reading.parts
        keyPosition = reading.positions["vrrp.key"] ?? .start
    }

    /// What the policy asks for and this release does not do: a daemon refuses the policy with these.
    package func unsupported(obeying obeyed: Set<PolicyPart> = PolicyPart.obeyed) -> [PolicyFault] {
        parts.unsupported(obeying: obeyed, file: fileName)
    }
}

/// Reads policy files: wanctl.yaml(5).
package enum PolicyReader {
    /// The policy with every default filled in, or all that is wrong with it.
    ///
    /// `fileName` is for the messages, and files that the policy names are sought beside it. Reads at most 1 MiB; callers
    /// read a file with that limit.
    package static func read(
        _ bytes: [UInt8], fileName: String = "policy.yaml", files: PolicyFiles = .none
    ) throws(PolicyFaults) -> ReadPolicy {
        let document = YAMLDocument(reading: bytes, fileName: fileName)
        guard let root = document.root else { throw PolicyFaults(document.faults.inOrder(from: fileName)) }
        var reading = Reading(file: fileName, files: files)
        let policy = reading.policy(root)
        let faults =
            document.faults + reading.faults.filter { $0.file != fileName || !document.aliases.contains($0.position) }
        guard faults.isEmpty else {
            throw PolicyFaults(
                faults.inOrder(from: fileName), warnings: reading.warnings.inOrder(from: fileName),
                unsupported: reading.parts.unsupported(obeying: PolicyPart.obeyed, file: fileName))
        }
        return ReadPolicy(policy, from: reading)
    }
}

extension [PolicyFault] {
    /// In the order of the policy, then of each file that it names; of two at one position, the first that was found.
    func inOrder(from policy: String) -> [PolicyFault] {
        sorted { a, b in
            if a.file == b.file { return a.position < b.position }
            return a.file == policy || b.file != policy && a.file < b.file
        }
    }
}
