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
            // Directories are there before the namespaces, and after them; a program that outlived its lab may have made some.
            for id in Remains.ids() where !Files.exists("\(LabDirectory.root)/\(id)") {
                try Remains.remove(of: id)
                removed.append(id)
            }
            LabDirectory.removeStaleLogs()
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

/// What a lab holds outside its own process: namespaces with their veth pairs, and programs inside them or on the way there.
enum Remains {
    /// In the environment of every program of a lab, with the lab's name.
    static let mark = "WANCTL_LAB"

    /// Programs first: one that is still at work might make namespaces that nobody looks for any more.
    static func remove(of id: String) throws(LabError) {
        endPrograms(of: id)
        for name in namespaces(of: id) {
            // A killed daemon has left its lock. First, for the next namespace may get the number.
            if let lock = try? LockFile.path(ofNamespace: "\(directory)/\(name)") { Files.remove(lock) }
            try Command.mustRun(["ip", "netns", "del", name])
        }
        Files.removeDirectory(LockFile.runtimeDirectory, ifOwnedBy: 0)
    }

    /// The labs that have namespaces.
    static func ids() -> [String] { Set(directoryEntries(directory).compactMap(lab)).sorted() }

    private static let directory = "/run/netns"
    private static let places = Set(LabPlace.allCases.map(\.rawValue) + SitePlace.allCases.map(\.rawValue))

    private static func namespaces(of id: String) -> [String] {
        directoryEntries(directory).filter { lab(of: $0) == id }.sorted()
    }

    /// The ID of `wanctl-ID-PLACE`.
    private static func lab(of name: String) -> String? {
        let words = name.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count > 2, words.first == "wanctl", let place = words.last, places.contains(String(place)) else {
            return nil
        }
        let id = words.dropFirst().dropLast().joined(separator: "-")
        return LabDirectory.isName(id) ? id : nil
    }

    /// SIGTERM, a moment to obey, SIGKILL, for every program of the lab but this one.
    private static func endPrograms(of id: String) {
        for (signal, patience) in [(SIGTERM, Int64(500)), (SIGKILL, 2000)] {
            let deadline = Clock.boottime() + patience * 1_000_000
            var told: Set<Int32> = []
            while true {
                let programs = programs(of: id)
                if programs.isEmpty { return }
                for pid in programs where told.insert(pid).inserted { kill(pid, signal) }
                if Clock.boottime() > deadline { break }
                pause(milliseconds: 5)
            }
        }
    }

    private static func programs(of id: String) -> [Int32] {
        let namespaces = Set(namespaces(of: id).compactMap { inode("\(directory)/\($0)") })
        let mark = Array("\(mark)=\(id)".utf8)
        return directoryEntries("/proc").compactMap { Int32($0) }.filter { pid in
            pid != getpid()
                && (inode("/proc/\(pid)/ns/net").map(namespaces.contains) == true || hasVariable(pid, mark))
        }
    }

    /// Whether a process was started with this in its environment (proc(5)); one that has ended has none.
    private static func hasVariable(_ pid: Int32, _ variable: [UInt8]) -> Bool {
        guard let environment = try? Files.read("/proc/\(pid)/environ", limit: 4 << 20) else { return false }
        return environment.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var place = 0
            while place < bytes.count {
                let room = bytes.count - place
                let length = memchr(base + place, 0, room).map { UnsafeRawPointer($0) - (base + place) } ?? room
                if length == variable.count, memcmp(base + place, variable, length) == 0 { return true }
                place += length + 1
            }
            return false
        }
    }

    private static func inode(_ path: String) -> UInt64? {
        var information = stat()
        return stat(path, &information) == 0 ? UInt64(information.st_ino) : nil
    }
}
