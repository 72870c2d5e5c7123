/// Policies for the lab, with the patience of a test: short holds, and drains that no test waits for unless it says so.
enum Policies {
    static let targets = "targets: [8.8.8.8, 1.1.1.1, 9.9.9.9]"

    /// The three lines of the lab. Each argument is more YAML in its mapping; `failover` has lines of that one,
    /// `sections` more of the whole file: `rules:`, `forwards:`.
    static func threeLines(
        lan: String = "interfaces: [eth0]", hold: String = "1s", drain: String = "{default: 1m, metered: 1s}",
        probe: String = "", ftth: String = "", jcom: String = "", soracom: String = "",
        order: String = "[ftth, jcom, soracom]", failover: [String] = [], sections: String = ""
    ) -> String {
        let probing = "probe: {\(targets)\(probe.isEmpty ? "" : ", " + probe)}"
        func more(_ text: String) -> String {
            text.split(separator: "\n").map { "\n    \($0)" }.joined()
        }
        return """
            version: 1
            site: lab
            lan: {\(lan)}
            uplinks:
              ftth:
                interface: ppp0
                \(probing)\(more(ftth))
              jcom:
                interface: wlan0
                gateway: 192.168.3.1
                \(probing)\(more(jcom))
              soracom:
                interface: ppp1
                metered: true
                \(probing)\(more(soracom))
            failover:
              order: \(order)
              hold: \(hold)
              drain: \(drain)

            """ + failover.map { "  \($0)\n" }.joined() + sections
    }

    /// Fibre and cable alone.
    static func twoLines(hold: String = "1s") -> String {
        """
        version: 1
        site: lab
        lan: {interfaces: [eth0]}
        uplinks:
          ftth: {interface: ppp0, probe: {\(targets)}}
          jcom: {interface: wlan0, gateway: 192.168.3.1, probe: {\(targets)}}
        failover: {order: [ftth, jcom], hold: \(hold)}

        """
    }
}
