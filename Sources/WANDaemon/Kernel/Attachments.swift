package import NetworkTypes
package import WANEngine
package import WANModel

/// Where the uplinks are attached, and the addresses that they have or had.
package final class Attachments {
    /// What a look at the kernel's picture told.
    package struct Findings {
        /// For the engine: what changed, and why what is not attached is not.
        package fileprivate(set) var reports: [AttachmentReport] = []
        package fileprivate(set) var changed: [UplinkNumber] = []
    }

    private var present: [UplinkNumber: Attachment] = [:]
    /// Of an uplink now, and before it since its flows were last let go: these carry them after they are gone.
    private var addresses: [UplinkNumber: [IPAddress]] = [:]
    private static let mostFormer = 64
    private var wireless: [InterfaceIndex: Bool] = [:]
    private let isWireless: (InterfaceIndex) -> Bool

    /// `isWireless`: asked once of each interface.
    package init(isWireless: @escaping (InterfaceIndex) -> Bool) { self.isWireless = isWireless }

    package subscript(uplink: UplinkNumber) -> Attachment? { present[uplink] }

    /// `isAll`: what has not changed is reported too.
    package func refresh(
        _ picture: KernelPicture, _ uplinks: [(number: UplinkNumber, settings: Uplink)], isAll: Bool = false
    ) -> Findings {
        wireless = wireless.filter { picture.links[$0.key] != nil }
        var findings = Findings()
        for (number, settings) in uplinks {
            let (attachment, reason) = picture.attachment(of: settings) { index in
                let answer = wireless[index] ?? isWireless(index)
                wireless[index] = answer
                return answer
            }
            if attachment != present[number] {
                present[number] = attachment
                let now = attachment?.addresses ?? []
                let former = addresses[number, default: []].filter { !now.contains($0) }
                // A line may come back with another address each time.
                addresses[number] = now + former.prefix(Self.mostFormer)
                findings.changed.append(number)
            } else if attachment != nil, !isAll {
                continue
            }
            findings.reports.append(AttachmentReport(number, attachment, reason: reason))
        }
        return findings
    }

    /// Takes these for attached no more until the next look; where they were.
    package func drop(_ uplinks: [UplinkNumber]) -> [UplinkNumber: Attachment] {
        let dropped = present.filter { uplinks.contains($0.key) }
        for number in uplinks { present[number] = nil }
        return dropped
    }

    package func restore(_ dropped: [UplinkNumber: Attachment]) { present.merge(dropped) { $1 } }

    // MARK: addresses

    /// Whether flows of this uplink may carry the address.
    package func hasHad(_ address: IPAddress, _ uplink: UplinkNumber) -> Bool {
        addresses[uplink]?.contains(address) ?? false
    }

    /// Of any uplink.
    func hasHad(_ address: IPAddress) -> Bool { addresses.values.contains { $0.contains(address) } }

    /// Behind two boxes of one make two lines may have the same.
    package func isElsewhere(_ address: IPAddress, than uplink: UplinkNumber) -> Bool {
        present.contains { $0.key != uplink && $0.value.addresses.contains(address) }
    }

    /// The flows of this uplink are let go: the addresses that they may have carried. Where it has others now, what is
    /// not among these is forgotten.
    package func letGo(_ uplink: UplinkNumber) -> [IPAddress] {
        let former = addresses[uplink] ?? []
        if let attachment = present[uplink] { addresses[uplink] = attachment.addresses }
        return former
    }
}
