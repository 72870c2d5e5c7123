internal import Glibc
internal import LinuxIO

/// Labs whose owner died without cleaning up (SIGKILL, out of memory): their namespaces, programs and files.
package enum StaleLabs {
    /// Removes what is left of them; the names of those removed. Labs whose owner lives are not touched.
    @discardableResult
    package static func sweep() throws(LabError) -> [String] {
        try doing("remove stale labs") {
            let gate = try LabDirectory.gate()
            var removed: [String] = []
            for id in LabDirectory.all() {
                guard let directory = try LabDirectory.takeOver(id) else { continue }
                try Remains.remove(of: id)
                directory.remove()
                removed.append(id)
            }
            withExtendedLifetime(gate) {}
            return removed
        }
    }

    /// The labs whose owner lives.
    package static func living() throws(LabError) -> [String] {
        try doing("look for labs") {
            let gate = try LabDirectory.gate()
            let living = try LabDirectory.all().filter { id in
                switch try LabDirectory.takeOver(id) {
                case .some: false
                case .none: true
                }
            }
            withExtendedLifetime(gate) {}
            return living
        }
    }
}

/// What a lab holds outside its own process: namespaces with their veth pairs, and programs inside them.
enum Remains {
    static func remove(of id: String) throws(LabError) {
        let all = Set(LabPlace.allCases.map { $0.namespace(of: id) } + SitePlace.allCases.map { $0.namespace(of: id) })
        let names = all.sorted().filter { Files.exists("/run/netns/\($0)") }
        endPrograms(in: names)
        for name in names { try Command.mustRun(["ip", "netns", "del", name]) }
    }

    /// SIGTERM, a moment to obey, SIGKILL, for every program in these namespaces but this one.
    private static func endPrograms(in names: [String]) {
        let namespaces = Set(names.compactMap { inode("/run/netns/\($0)") })
        for (signal, patience) in [(SIGTERM, Int64(500)), (SIGKILL, 2000)] {
            let programs = programs(in: namespaces)
            if programs.isEmpty { return }
            for pid in programs { kill(pid, signal) }
            let deadline = Clock.boottime() + patience * 1_000_000
            while Clock.boottime() < deadline, !self.programs(in: namespaces).isEmpty { pause(milliseconds: 5) }
        }
    }

    private static func programs(in namespaces: Set<UInt64>) -> [Int32] {
        directoryEntries("/proc").compactMap { Int32($0) }.filter { pid in
            pid != getpid() && inode("/proc/\(pid)/ns/net").map(namespaces.contains) == true
        }
    }

    private static func inode(_ path: String) -> UInt64? {
        var information = stat()
        return stat(path, &information) == 0 ? UInt64(information.st_ino) : nil
    }
}
