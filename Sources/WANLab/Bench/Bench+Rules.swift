internal import LinuxIO

/// Whether many rules slow a switch, or a reload.
extension Bench {
    func rules() throws {
        try sheet.heading("A policy with many rules: from the decision to the kernel, and a reload")
        for count in [10, 100, 1000] {
            let uplinks = ["jcom", "ftth", "soracom"]
            let site = try BenchSite(
                on: stage, policy: Self.policy(ManyRules.text(count, uplinks: uplinks)))
            try site.settle()
            try sheet.row(
                "a switch, 3 uplinks, \(count) rules",
                try applied(max(2, runs * 10), at: site.router, between: ["jcom", "ftth"]), unit: "ms",
                bar: .percentile99(0.5))
            try reloads(count, uplinks, at: site)
        }
        let most = 1000
        let many = try ManyUplinks.start(on: stage, more: ManyRules.text(most, uplinks: ["u2", "u1", "u3"]))
        try sheet.row(
            "a switch, \(ManyUplinks.count) uplinks, \(most) rules",
            try applied(max(2, runs * 10), at: many.router, between: many.names), unit: "ms", bar: .percentile99(3))
    }

    private static func policy(_ rules: String) -> String {
        SamplePolicy.text(soracom: SoracomInLab.policyLines(), more: rules)
    }

    /// `wanctl reload` of a policy whose rules have all changed, while the client's traffic runs.
    private func reloads(_ count: Int, _ uplinks: [String], at site: BenchSite) throws {
        let clients = try site.clients()
        var spans: [Double] = []
        for place in 0..<max(2, runs / 2) {
            let text = ManyRules.text(count, uplinks: uplinks, turned: place % 2 == 0)
            try Files.replace(site.router.policyPath, with: Array(Self.policy(text).utf8))
            try stage.linger(.milliseconds(100))
            spans.append(try Self.milliseconds { try site.command("reload") })
        }
        try stage.linger(.milliseconds(500))
        let lost = try clients.loss()
        try sheet.row("`wanctl reload`, \(count) rules", spans, unit: "ms")
        try sheet.never("packets lost in these reloads", lost.fresh + lost.established)
    }
}
