/// A SIM as the service keeps it.
package struct SoracomSIM: Hashable, Sendable {
    package var simID: String
    package var imsi: String
    /// Whose metadata requests are this SIM's; the addresses that SORACOM gave the modem.
    package var addresses: Set<String>
    package var speedClass: String
    /// What its subscription allows (plan-D, plan-K2).
    package var classes = ["s1.minimum", "s1.slow", "s1.standard", "s1.fast", "s1.4xfast"]
    package var subscription = "plan-D"
    /// Bytes by class: what `/stats/air` reports.
    package var traffic: [String: Traffic] = [:]

    package struct Traffic: Hashable, Sendable {
        package var upload: Int64
        package var download: Int64
        package init(upload: Int64, download: Int64) {
            self.upload = upload
            self.download = download
        }
    }

    package init(simID: String, imsi: String, addresses: Set<String> = [], speedClass: String = "s1.minimum") {
        self.simID = simID
        self.imsi = imsi
        self.addresses = addresses
        self.speedClass = speedClass
    }
}

/// One request that arrived, and what became of it.
package struct SoracomCall: Hashable, Sendable {
    /// `Clock.boottime`, nanoseconds.
    package var moment: Int64
    /// `nil` where the specification has no such operation.
    package var operation: SoracomOperation?
    package var method: String
    package var path: String
    /// The address it came from.
    package var source: String
    /// `nil`: no answer was given.
    package var status: Int?
    /// The class that was asked for.
    package var speedClass: String?
}

/// How the group of the SIMs has its metadata service set.
package enum SoracomMetadataSetting: Hashable, Sendable { case writable, readOnly, off }
