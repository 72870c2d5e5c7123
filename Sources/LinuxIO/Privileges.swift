internal import CLinux
internal import Glibc

/// Giving rights up, for good (capabilities(7), credentials(7)). Order matters: descriptors, user, capabilities, the rest.
package enum Privileges {
    /// Closes every descriptor from `first` on (close_range(2)).
    package static func closeDescriptors(from first: Int32) throws(SystemCallError) {
        _ = try checked("close_range(2)") { wan_close_range(UInt32(first), UInt32.max, 0) }
    }

    /// Becomes another user with no supplementary groups. Only root can; everybody else stays who they are.
    package static func become(user: UInt32, group: UInt32) throws(SystemCallError) {
        guard geteuid() == 0 else { return }
        dropBoundingSet()
        _ = try checked("setgroups(2)") { wan_setgroups(0, nil) }
        _ = try checked("setresgid(2)") { wan_setresgid(group, group, group) }
        _ = try checked("setresuid(2)") { wan_setresuid(user, user, user) }
    }

    /// Does something with the rights of a directory's owner, where root does it: what stands in the directory is that user's word, and
    /// must lead to nothing that this user could not do. For a process of one thread.
    ///
    /// Where the way back fails the process ends: going on as another user would be worse.
    package static func asOwner<Answer: ~Copyable>(
        of directory: String, _ body: () throws(SystemCallError) -> Answer
    ) throws(SystemCallError) -> Answer {
        guard geteuid() == 0 else { return try body() }
        let raw = try checked("open(2)", directory) { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        let opened = OwnedDescriptor(taking: raw)
        var owner = stat()
        _ = try checked("fstat(2)", directory) { fstat(opened.raw, &owner) }
        guard owner.st_uid != 0 else { return try body() }
        let group = getegid()
        var groups = [gid_t](repeating: 0, count: Int(try checked("getgroups(2)") { getgroups(0, nil) }))
        _ = try checked("getgroups(2)") { getgroups(Int32(groups.count), &groups) }
        // Where not even this is allowed nothing has to be undone.
        _ = try checked("setgroups(2)") { wan_setgroups(0, nil) }
        defer {
            if seteuid(0) != 0 || setegid(group) != 0 || wan_setgroups(groups.count, groups) != 0 {
                fatalError("seteuid(2): cannot become root again: \(errorText(Glibc.errno))")
            }
        }
        _ = try checked("setegid(2)") { setegid(owner.st_gid) }
        _ = try checked("seteuid(2)") { seteuid(owner.st_uid) }
        return try body()
    }

    /// Empties all capability sets and shuts the ways back: no set-user-ID programs, no ptrace, no core file, no directory held.
    package static func renounceAll() throws(SystemCallError) {
        _ = try checked("chdir(2)", "/") { chdir("/") }
        _ = try checked("prctl(2) PR_CAP_AMBIENT_CLEAR_ALL") {
            wan_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
        }
        var header = __user_cap_header_struct()
        header.version = UInt32(_LINUX_CAPABILITY_VERSION_3)
        var held = (__user_cap_data_struct(), __user_cap_data_struct())
        _ = try withUnsafeMutableBytes(of: &held) { data throws(SystemCallError) in
            try checked("capget(2)") { wan_capget(&header, data.baseAddress) }
        }
        // Who has none may not even have the call (systemd.exec(5), @privileged).
        if withUnsafeBytes(of: held, { $0.contains { $0 != 0 } }) {
            let none = (__user_cap_data_struct(), __user_cap_data_struct())
            _ = try withUnsafeBytes(of: none) { data throws(SystemCallError) in
                try checked("capset(2)") { wan_capset(&header, data.baseAddress) }
            }
        }
        _ = try checked("prctl(2) PR_SET_NO_NEW_PRIVS") { wan_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
        // A change of user resets this one, hence so late.
        _ = try checked("prctl(2) PR_SET_DUMPABLE") { wan_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) }
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = try checked("setrlimit(2) RLIMIT_CORE") { setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) }
    }

    /// Asks to be killed when the thread that started this process ends. A change of user undoes it: ask afterwards.
    package static func dieWithParent() throws(SystemCallError) {
        _ = try checked("prctl(2) PR_SET_PDEATHSIG") { wan_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0) }
    }

    /// Undoes what a parent left behind: blocked signals (a signalfd(2) user blocks them), environment, file mode mask.
    package static func forgetParent() throws(SystemCallError) {
        var none = sigset_t()
        sigemptyset(&none)
        _ = try checked("sigprocmask(2)") { sigprocmask(SIG_SETMASK, &none, nil) }
        clearenv()
        umask(0o077)
    }

    /// Numbers of a user by name or number (getpwnam(3)); `nil` where there is none of that name.
    package static func user(_ name: String) -> (user: UInt32, group: UInt32)? {
        if let number = UInt32(name) {
            return (number, getpwuid(number).map { $0.pointee.pw_gid } ?? number)
        }
        return getpwnam(name).map { ($0.pointee.pw_uid, $0.pointee.pw_gid) }
    }

    /// CAP_NET_ADMIN and CAP_NET_RAW are in force (proc_pid_status(5)).
    package static var mayRuleNetwork: Bool {
        let status = (try? Files.text("/proc/self/status")) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let held = line.flatMap { $0.split(separator: "\t").last }.flatMap { UInt64($0, radix: 16) } ?? 0
        let wanted: UInt64 = 1 << UInt64(CAP_NET_ADMIN) | 1 << UInt64(CAP_NET_RAW)
        return held & wanted == wanted
    }

    package static var effectiveUser: UInt32 { geteuid() }

    package static var isRoot: Bool { geteuid() == 0 || getuid() == 0 }

    /// So that no program started from here gets a capability back, not even by a file's (needs CAP_SETPCAP; without it there
    /// is nothing to drop). The kernel says EINVAL past its last capability.
    private static func dropBoundingSet() {
        for capability in UInt(0)..<64 where wan_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 { return }
    }
}
