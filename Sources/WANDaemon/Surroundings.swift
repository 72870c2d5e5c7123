internal import Glibc
internal import LinuxIO

/// The host's name (gethostname(2)), without its domain.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "router" }
    let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.split(separator: ".").first.map(String.init) ?? "router"
}

/// The name the kernel knows this thread by (prctl(2) PR_GET_NAME), by which nftables tells our transactions from others'.
func programName() -> String {
    (try? Files.text("/proc/self/comm")) ?? "wanctld"
}
