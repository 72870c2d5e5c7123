import LinuxIO
import WANControl
import WANModel

/// The bytes of a policy file; the reader takes no more than 1 MiB (see WANPolicy).
func readPolicy(_ file: String) throws(ControlRefusal) -> [UInt8] {
    do throws(SystemCallError) {
        return try Files.read(file, limit: 1 << 20)
    } catch {
        throw ControlRefusal(.policy, "cannot read the policy: \(error)")
    }
}

/// This box's name as `wanctld` takes it: the host name without its domain (gethostname(2)).
func hostName() throws(ControlRefusal) -> String {
    do throws(SystemCallError) {
        return String(try Files.text("/proc/sys/kernel/hostname").prefix { $0 != "." })
    } catch {
        throw ControlRefusal(.refused, "cannot learn this box's name: \(error); give it with --node")
    }
}
