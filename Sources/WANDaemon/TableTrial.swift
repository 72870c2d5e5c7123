internal import LinuxIO
internal import NetworkTypes
internal import Nftables
internal import WANControl
internal import WANDataplane
internal import WANModel

/// Makes the nft table of a policy for real, in a network namespace of its own that ends with this process: what the
/// libnftables and the kernel of this machine refuse shows before a family is without Internet.
enum TableTrial {
    /// Throws what nft said as a refusal, and `notPermitted` where no namespace can be made. The process stays in the namespace.
    static func run(_ loaded: LoadedPolicy) throws(ControlRefusal) {
        do throws(SystemCallError) {
            try NetworkNamespace.leaveForFresh()
        } catch {
            throw ControlRefusal(
                .notPermitted, "the nft table cannot be tried without root or user namespaces (\(error))")
        }
        do throws(NftablesError) {
            var nftables = try NftablesContext.make()
            try nftables.apply(Ruleset.make(input(loaded.policy)))
        } catch {
            throw ControlRefusal(
                .refused, "the nft table of \(loaded.path) is refused",
                details: error.text.split(separator: "\n").map(String.init))
        }
    }

    /// All uplinks attached and in use, so that every map has its elements.
    static func input(_ policy: Policy) -> RulesetInput {
        let numbers = UplinkNumbers.assign(policy.uplinks.map(\.name), remembered: [:])
        let uplinks = policy.uplinks.compactMap { uplink in
            numbers[uplink.name].map { number in
                // 192.0.2.0/24 is for documentation (RFC 5737).
                let address = IPAddress.v4(IPv4Address(192, 0, 2, UInt8(truncatingIfNeeded: number.rawValue)))
                return DataplaneUplink(
                    number: number, interface: uplink.interface,
                    attachment: Attachment(
                        interfaceIndex: InterfaceIndex(rawValue: Int32(number.rawValue)), interface: uplink.interface,
                        addresses: [address], gateway: nil),
                    isSIM: uplink.soracom != nil)
            }
        }
        let choices = policy.classes.map { traffic in
            traffic.order.first.map { step in
                ClassChoice(
                    step: step.members.compactMap { member in
                        numbers[member.uplink].map { ClassChoice.Member(uplink: $0, weight: member.weight) }
                    }, active: step.members.compactMap { numbers[$0.uplink] })
            } ?? .nowhere
        }
        return RulesetInput(policy, uplinks: uplinks, numbers: numbers, choices: choices)
    }
}
