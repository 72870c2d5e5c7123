/// The pid files of one keepalived, apart from those of all others.
///
/// keepalived 2.3 locks also those of the processes that it does not start: where only some are given, the second one on a
/// machine ends with "daemon is already running".
enum KeepalivedPidFiles {
    private static let names = ["pid", "vrrp_pid", "checkers_pid", "bfd_pid"]

    static func paths(in folder: String) -> [String] { names.map { "\(folder)/keepalived.\($0)" } }

    /// For keepalived's command line; each option is called as its file.
    static func arguments(in folder: String) -> [String] {
        zip(names, paths(in: folder)).flatMap { ["--\($0)", $1] }
    }
}
