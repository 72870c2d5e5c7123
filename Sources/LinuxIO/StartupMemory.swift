internal import CLinux
internal import Glibc

/// Memory that only the start of a program needed.
package enum StartupMemory {
    /// Gives back the pages of program code that were mapped in so far, and free heap.
    ///
    /// Starting (reading a policy, making a ruleset) touches several megabytes of code that then lies there for years. What
    /// is used again is mapped in again from the page cache, by a minor fault each. Only executable mappings are let go of:
    /// they are clean copies of their files, while read-only data may carry relocations that exist nowhere else.
    package static func release() {
        guard let maps = try? Files.read("/proc/self/maps", limit: 4 << 20) else { return }
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            // 55d0c0a00000-55d0c0c00000 r-xp 00200000 fe:00 1234  /usr/sbin/wanctld
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard ends.count == 2, ends[1] > ends[0], let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else {
                continue
            }
            madvise(start, Int(ends[1] - ends[0]), Int32(MADV_DONTNEED))
        }
        malloc_trim(0)
    }
}
