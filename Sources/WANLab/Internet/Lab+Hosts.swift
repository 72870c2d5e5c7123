package import NetworkTypes

extension Lab {
    /// More addresses of the LAN client, 192.168.0.2 and up without the router's and its own: hosts of the LAN, as far as the
    /// router can tell. At most 252.
    package func addClientAddresses(_ count: Int) throws(LabError) -> [IPv4Address] {
        let free = (2...254).map { IPv4Address(192, 168, 0, UInt8($0)) }.filter { $0 != LabAddress.client }
        guard count <= free.count else {
            throw LabError("add \(count) addresses to the LAN client", "there are \(free.count)")
        }
        let addresses = Array(free.prefix(count))
        try change(.lan, addresses.map { "addr replace \($0)/32 dev eth0\n" }.joined())
        return addresses
    }

    /// JCOM's home router passes what nobody asked for to the router under test ("exposed host"), as its owner would set it to
    /// have forwards over that line too.
    package func exposeRouterBehindJCOM() throws(LabError) {
        let address = address(of: .jcom)
        try load(
            """
            table ip exposed
            delete table ip exposed
            table ip exposed {
                chain translate {
                    type nat hook prerouting priority dstnat; policy accept;
                    iifname "wan0" ip daddr \(LabUplink.jcom.publicAddress) dnat to \(address)
                }
            }

            """, in: .jcom)
    }
}
