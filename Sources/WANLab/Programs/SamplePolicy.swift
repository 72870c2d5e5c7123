/// Policies for the lab's router.
package enum SamplePolicy {
    /// To start the daemon with and to play with.
    package static let text = text(hold: "10s")

    /// The three uplinks of the lab in their order, with the settings of Policies/one-box.yaml but for what is given.
    ///
    /// - Parameters:
    ///   - degraded: With the limits of quality. Losses of a blackhole count for as long as their window is: with a hold shorter than
    ///     that a line that came back is preferred only when they have left it.
    ///   - soracom: `SoracomInLab.policyLines()`, where SORACOM is there to be asked.
    ///   - order: A list inside shares the load: `[{ftth: 3, jcom: 1}, soracom]`.
    ///   - failover: More lines of that mapping, as `grace: 2s`.
    ///   - more: More of the whole file: `rules:`, `forwards:`.
    package static func text(
        hold: String = "60s", drain: String? = nil, degraded: Bool = false, soracom: String? = nil,
        order: String = "[ftth, jcom, soracom]", failover: [String] = [], more: String = ""
    ) -> String {
        """
        # The router of wanctl-lab: three uplinks on one box.
        version: 1
        site: lab

        lan:
          interfaces: [eth0]

        uplinks:
          ftth:
            interface: ppp0
            probe:
              targets: [8.8.8.8, 1.1.1.1, 9.9.9.9]
              patience: 200ms
        \(degraded ? "      degraded: {loss: 20%, rtt: 400ms, jitter: 100ms, window: 30s}" : "      # degraded: see Policies/one-box.yaml")
          jcom:
            interface: wlan0
            gateway: 192.168.3.1
            probe:
              targets: [8.8.8.8, 1.1.1.1, 9.9.9.9]
          soracom:
            interface: ppp1
            metered: true
            probe:
              targets: [8.8.8.8, 1.1.1.1, 9.9.9.9]
            keepalive: {idle: 25m, target: 100.127.100.127}
        \(soracom ?? "    # soracom: the SIM and its speed classes, see Policies/one-box.yaml")

        failover:
          order: \(order)
          hold: \(hold)
          drain: \(drain ?? "{default: 5m, metered: 60s}")

        """ + failover.map { "  \($0)\n" }.joined() + more
    }
}
