/// A policy for the lab's router, to start the daemon with and to play with.
package enum SamplePolicy {
    package static let text = """
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

        failover:
          order: [ftth, jcom, soracom]
          hold: 10s

        """
}
