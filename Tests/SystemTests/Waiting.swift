import Glibc
import LinuxIO

/// Looks until it is so; `false` where it has not come within the time.
func comes(within seconds: Double, _ claim: () throws -> Bool) rethrows -> Bool {
    let deadline = Clock.boottime() + Int64(seconds * 1e9)
    while try !claim() {
        if Clock.boottime() > deadline { return false }
        usleep(5000)
    }
    return true
}

/// Looks all the time for a while; `false` as soon as it is not so.
func stays(for seconds: Double, _ claim: () throws -> Bool) rethrows -> Bool {
    let end = Clock.boottime() + Int64(seconds * 1e9)
    while Clock.boottime() < end {
        guard try claim() else { return false }
        usleep(20_000)
    }
    return true
}
