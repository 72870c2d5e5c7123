import NetworkTypes
import Testing
import WANModel
import WANPolicy

/// What `text` says, at the source line of the test if it is refused.
func read(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws(PolicyFaults) -> ReadPolicy {
    do throws(PolicyFaults) {
        return try PolicyReader.read(Array(text.utf8), fileName: "p")
    } catch {
        Issue.record("refused:\n\(error)", sourceLocation: sourceLocation)
        throw error
    }
}

/// What is wrong with `text`, without the file's name: `12:5: unknown key …`.
func faults(of text: String) -> [String] {
    do throws(PolicyFaults) {
        _ = try PolicyReader.read(Array(text.utf8), fileName: "p")
        return []
    } catch {
        return error.faults.map { String($0.description.dropFirst(2)) }
    }
}

/// The smallest policy, with more text behind it.
func minimal(_ more: String = "") -> String { "version: 1\nuplinks:\n  a: {interface: ppp0}\n" + more }

/// The smallest policy, with more of its uplink: begins in line 4, column 5.
func uplink(_ more: String) -> String { "version: 1\nuplinks:\n  a:\n    \(more)\n    interface: ppp0\n" }

/// The smallest policy, with one line of its uplink's probe: line 5, column 7.
func probe(_ more: String) -> String { uplink("probe:\n      \(more)") }

/// The smallest policy, with one line of its uplink's soracom section: line 5, column 7.
func soracom(_ more: String) -> String { uplink("soracom:\n      \(more)") }
