internal import LinuxIO

/// What a box holds when all is well, to be held against what it held before: in the kernel and of the daemon's own.
package struct Census: Hashable, Sendable {
    /// Addresses, routes, rules, nft tables and the contents of ours: lines with what they are in front.
    package var kernel: [String]
    /// The programs that run there, by name; the courier, which comes and goes, is not among them.
    package var programs: [String]
    /// Of the daemon. It has one pair of sockets and a child more while there is a courier.
    package var descriptors: Int
    package var hasCourier: Bool
    package var residentKiB: Int

    package init(kernel: [String], programs: [String], descriptors: Int, hasCourier: Bool, residentKiB: Int) {
        self.kernel = kernel.sorted()
        self.programs = programs.sorted()
        self.descriptors = descriptors
        self.hasCourier = hasCourier
        self.residentKiB = residentKiB
    }

    /// The memory that a daemon may have grown by: its journal is bounded, its windows of samples fill.
    private static let growthKiB = 4096

    /// What is too many or too few since `earlier`; empty where all is as it was.
    package func differences(from earlier: Census) -> [String] {
        var found: [String] = []
        for (what, now, before) in [
            ("", kernel, earlier.kernel), ("program ", programs, earlier.programs),
        ] {
            let change = now.difference(from: before)
            for step in change {
                switch step {
                case .insert(_, let line, _): found.append("too many: \(what)\(line)")
                case .remove(_, let line, _): found.append("missing: \(what)\(line)")
                }
            }
        }
        let most = earlier.descriptors + (hasCourier && !earlier.hasCourier ? 2 : 0)
        if descriptors > most {
            found.append("too many: \(descriptors) descriptors, there were \(earlier.descriptors)")
        }
        if residentKiB > earlier.residentKiB * 5 / 4 + Self.growthKiB {
            found.append("too much: the daemon has \(residentKiB) KiB, it had \(earlier.residentKiB)")
        }
        return found
    }

    /// The contents of our nft table, each set and map in an order of its own.
    ///
    /// Of `torn` and `strays` there is something for minutes after each movement, so their elements do not count.
    package static func table(_ listing: String) -> [String] {
        var lines: [String] = []
        var name = ""
        var block: [String] = []
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
            let isOutermost = line.hasPrefix("\t") && !line.hasPrefix("\t\t")
            if isOutermost, line.hasSuffix("{") {
                (name, block) = (words.dropLast().joined(separator: " "), [])
            } else if isOutermost, line == "\t}" {
                lines.append("nft \(name): \(content(of: name, block))")
            } else {
                block += words
            }
        }
        return lines
    }

    private static func content(of name: String, _ words: [String]) -> String {
        guard name.hasPrefix("set ") || name.hasPrefix("map ") else { return words.joined(separator: " ") }
        if name == "set torn" || name == "set strays" {
            return words.prefix { $0 != "elements" }.joined(separator: " ")
        }
        return words.sorted().joined(separator: " ")
    }
}

extension ChaosWorld.Box {
    /// Counts what there is now.
    func census(_ life: LabLife) throws(LabError) -> Census {
        /// Lines without what stands for a place in a list, or is a number given anew.
        func list(_ what: String, _ words: [String], dropping: Int = 0) throws(LabError) -> [String] {
            try life.mustRun(words, in: namespace).split(separator: "\n").map { line in
                let words = line.split { $0 == " " || $0 == "\t" }.dropFirst(dropping)
                return "\(what) \(words.joined(separator: " "))"
            }
        }
        var kernel = try list("address", ["ip", "-4", "-o", "addr", "show"], dropping: 1)
        kernel += try list("route", ["ip", "-4", "-N", "route", "show", "table", "all"])
        kernel += try list("rule", ["ip", "-4", "-N", "rule", "show"])
        kernel += try list("nft", ["nft", "list", "tables"])
        kernel += Census.table(try life.mustRun(["nft", "-s", "list", "table", "inet", "wanctl"], in: namespace))
        let process = DaemonProcess(pid: daemon.pid)
        let programs = try programs()
        return Census(
            kernel: kernel, programs: programs.filter { $0 != "wanctl-courier" },
            descriptors: directoryEntries("/proc/\(process.pid)/fd").count,
            hasCourier: programs.contains("wanctl-courier"), residentKiB: try process.residentKiB())
    }

    private func programs() throws(LabError) -> [String] {
        let pids = try doing("list the programs of \(namespace)") {
            try Command.mustRun(["ip", "netns", "pids", namespace]).split(separator: "\n")
        }
        return pids.compactMap { try? Files.text("/proc/\($0)/comm") }
    }
}
