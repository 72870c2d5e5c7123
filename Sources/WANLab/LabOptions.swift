/// How a lab is to be built.
package struct LabOptions: Sendable {
    /// `nil` takes a free random name. Namespaces are called `wanctl-ID-router` and so on.
    package var id: String?
    /// For everything random on the lines; the same seed loses the same packets.
    package var seed: UInt64
    /// What each line does when nothing is wrong with it.
    package var lines: [LabUplink: LineQuality]
    /// Written in the router under /proc/sys before its interfaces are made. The kernel's own defaults, whatever the host
    /// was set to.
    package var routerSettings: [String: String]

    package static let kernelDefaults = [
        "net/ipv4/ip_forward": "0", "net/ipv4/conf/all/rp_filter": "0", "net/ipv4/conf/default/rp_filter": "0",
    ]

    package init(
        id: String? = nil, seed: UInt64 = 1,
        lines: [LabUplink: LineQuality] = Dictionary(
            uniqueKeysWithValues: LabUplink.allCases.map { ($0, LineQuality.usual($0)) }),
        routerSettings: [String: String] = Self.kernelDefaults
    ) {
        self.id = id
        self.seed = seed
        self.lines = lines
        self.routerSettings = routerSettings
    }

    /// Lines that add nothing, for tests that measure.
    package static let perfect = LabOptions(lines: [:])
}
