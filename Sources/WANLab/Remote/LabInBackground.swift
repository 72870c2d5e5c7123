internal import Glibc
internal import LinuxIO

/// A lab that lives on in a process of its own: `wanctl-lab up` without a terminal.
package enum LabInBackground {
    /// Starts it with more arguments for `up`; returns when the lab answers. Where it is called off before that, it is ended.
    package static func start(
        _ id: String, arguments: [String] = [], isCalledOff: () -> Bool = { false }
    ) throws(LabError) {
        guard LabDirectory.isName(id) else { throw LabError("start a lab", "\"\(id)\" is no name") }
        guard !(try StaleLabs.living().contains(id)) else {
            throw LabError("start the lab \(id)", "it is already there")
        }
        let program = try BackgroundProgram(
            [siblingProgram("wanctl-lab"), "up", "--id", id] + arguments, logPath: LabDirectory.backgroundLog(of: id))
        var wasCalledOff = false
        let problem = try program.waitUntilReady {
            wasCalledOff = isCalledOff()
            if !wasCalledOff { _ = try LabControlClient(id: id).ask(["status"]) }
        }
        guard wasCalledOff || problem != nil else { return }
        program.stop()
        unlink(LabDirectory.backgroundLog(of: id))  // where it did not get as far as to have a lab
        throw LabError("start the lab \(id)", problem ?? "interrupted")
    }
}
