import Glibc

/// Priorities of syslog(3), as sd-daemon(3) reads them from standard error.
enum Priority: Int {
    case error = 3
    case warning = 4
}

/// One line to standard error; a healthy courier writes none.
func log(_ priority: Priority, _ text: String) {
    let line = Array("<\(priority.rawValue)>wanctl-courier: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

func leave(_ code: Int32) -> Never { exit(code) }
