internal import Glibc
internal import LinuxIO

/// The host's name (gethostname(2)), without its domain.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "router" }
    let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.split(separator: ".").first.map(String.init) ?? "router"
}

/// A program of ours: beside our own one.
func siblingProgram(_ name: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return "/usr/lib/wanctl/\(name)" }
    let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let slash = path.lastIndex(of: "/") else { return name }
    return "\(path[..<slash])/\(name)"
}

/// The name the kernel knows this thread by (prctl(2) PR_GET_NAME), by which nftables tells our transactions from others'.
func programName() -> String {
    (try? Files.text("/proc/self/comm")) ?? "wanctld"
}
