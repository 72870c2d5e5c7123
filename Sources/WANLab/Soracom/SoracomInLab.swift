internal import LinuxIO
internal import NetworkTypes

/// SORACOM's API and metadata service in a lab's internet, and the SIM of its SORACOM uplink.
///
/// The API answers at `http://192.0.2.20`, over every line. The metadata service answers at 100.127.100.127, to who comes over
/// the SORACOM line alone, and knows the SIM by its address there.
package final class SoracomInLab: Sendable {
    package static let simID = "8981100000000000000"
    package static let imsi = "440101234567890"
    private static let authKeyID = "keyId-laboratory0000000000000000000000000000"
    private static let authKey = "secret-laboratory000000000000000000000000000000000000000000000"

    package let service: SoracomService
    /// The file that is `credentials: soracom` to the router's courier; mode 0600.
    package let credentialsPath: String

    /// For the policy, below the SORACOM uplink.
    package static func policyLines(
        standby: String = "s1.minimum", selected: String = "s1.fast", via: String = "metadata, api"
    )
        -> String
    {
        """
            soracom:
              sim: "\(simID)"
              standby: \(standby)
              selected: \(selected)
              credentials: soracom
              via: [\(via)]
              endpoint: http://\(LabAddress.soracomAPI)
        """
    }

    package static func start(in lab: Lab, speedClass: String = "s1.minimum") throws(LabError) -> SoracomInLab {
        try start(
            besides: lab.directory, internet: lab.namespacePath(.inet), sim: lab.address(of: .soracom), speedClass)
    }

    /// In a site's internet, with the credentials beside the policy of the box that has the SIM.
    package static func start(in site: SiteLab, speedClass: String = "s1.minimum") throws(LabError) -> SoracomInLab {
        try start(
            besides: site.directory(of: site.homes[.soracom] ?? .sub), internet: site.namespacePath(.inet),
            sim: LabUplink.soracom.address, speedClass)
    }

    private static func start(
        besides directory: String, internet: String, sim address: IPv4Address, _ speedClass: String
    ) throws(LabError) -> SoracomInLab {
        let path = "\(directory)/soracom"
        return try doing("start SORACOM") {
            let service = try SoracomService(
                sims: [
                    SoracomSIM(
                        simID: simID, imsi: imsi, addresses: [address.description],
                        speedClass: speedClass)
                ], authKeys: [authKeyID: authKey])
            let internet = try NetworkNamespace.open(internet)
            try service.serveAPI(
                at: try internet.inside { try TCPListener(address: "\(LabAddress.soracomAPI)", port: 80) })
            try service.serveMetadata(
                at: try internet.inside { try TCPListener(address: "\(LabAddress.soracomMetadata)", port: 80) })
            // Without an endpoint: a file that could serve soracom-cli too; where the API is, the policy says.
            let profile = #"{"coverageType":"jp","authKeyId":"\#(authKeyID)","authKey":"\#(authKey)"}"#
            try Files.replace(path, with: Array(profile.utf8), mode: 0o600)
            return SoracomInLab(service, path)
        }
    }

    private init(_ service: SoracomService, _ credentialsPath: String) {
        self.service = service
        self.credentialsPath = credentialsPath
    }

    /// The class the SIM has now, by the service's own books.
    package var speedClass: String? { service.speedClass(ofSIM: Self.simID) }

    /// Requests that asked for a class and were granted it, oldest first.
    package var classChanges: [SoracomCall] {
        service.calls.filter { $0.speedClass != nil && $0.status == 200 }
    }
}
