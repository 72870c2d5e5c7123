import WANModel
import WANPolicy

/// The only place that knows WANPolicy.
/// Reads a policy's bytes; `file` is only for the messages.
func judge(_ bytes: [UInt8], _ file: String) -> PolicyVerdict {
    func remarks(_ faults: [PolicyFault]) -> [PolicyVerdict.Remark] {
        faults.map {
            .init(file: $0.file, line: $0.line, column: $0.column, problem: $0.problem, advice: $0.advice)
        }
    }
    do throws(PolicyFaults) {
        let read = try PolicyReader.read(bytes, fileName: file, files: .onDisk)
        return PolicyVerdict(
            unsupported: remarks(read.unsupported()), warnings: remarks(read.warnings),
            uplinks: read.policy.uplinks.map(\.name), nodes: read.policy.nodes.map(\.name), rules: read.policy.rules,
            policy: read.policy)
    } catch {
        return PolicyVerdict(
            faults: remarks(error.faults), unsupported: remarks(error.unsupported), warnings: remarks(error.warnings))
    }
}
