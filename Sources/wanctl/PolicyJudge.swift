import LinuxIO
import WANModel
import WANPolicy

/// Reads a policy's bytes; `file` is only for the messages.
func judge(_ bytes: [UInt8], _ file: String) -> PolicyVerdict {
    do throws(PolicyFaults) {
        let read = try PolicyReader.read(bytes, fileName: file, files: .onDisk)
        let unseenKey = read.unseenKey(environmentVariables())
        if unseenKey == nil { _ = try read.siteKey(environmentVariables()) }
        return PolicyVerdict(
            unsupported: read.unsupported(), warnings: read.warnings + [unseenKey].compactMap { $0 },
            uplinks: read.policy.uplinks.map(\.name),
            nodes: read.policy.nodes.map(\.name), rules: read.policy.rules, policy: read.policy)
    } catch {
        return PolicyVerdict(faults: error.faults, unsupported: error.unsupported, warnings: error.warnings)
    }
}
