internal import CLinux
internal import Glibc

/// Unguessable numbers from the kernel's generator (getrandom(2)), fetched a page at a time.
///
/// A call for each would cost 300 ns; from the pool one costs a few.
package struct Entropy: ~Copyable {
    private var pool: [UInt64]
    private var used: Int

    package init() {
        pool = [UInt64](repeating: 0, count: 512)
        used = 512
    }

    /// The next number; none is given out twice.
    package mutating func next() throws(SystemCallError) -> UInt64 {
        if used == pool.count { try refill() }
        defer {
            pool[used] = 0
            used += 1
        }
        return pool[used]
    }

    private mutating func refill() throws(SystemCallError) {
        let size = pool.count * 8
        var done = 0
        while done < size {
            done += try checked("getrandom(2)") {
                pool.withUnsafeMutableBytes { bytes -> Int in
                    guard let base = bytes.baseAddress else { return 0 }
                    return getrandom(base + done, size - done, 0)
                }
            }
        }
        used = 0
    }
}
