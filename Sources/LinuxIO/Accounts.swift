internal import Glibc

/// Users and groups of this machine.
package enum Accounts {
    /// The user this process acts as.
    package static func effectiveUser() -> UInt32 { geteuid() }

    /// A group's number by /etc/group (group(5)), and only by it: a router must not wait for a directory server that is
    /// behind the very line that is down.
    package static func group(named name: String, in file: String = "/etc/group") throws(SystemCallError) -> UInt32? {
        let text = String(decoding: try Files.read(file), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 3, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }
}
