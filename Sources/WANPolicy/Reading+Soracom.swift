internal import WANModel

extension Reading {
    /// The SIM of an uplink: wanctl.yaml(5), "uplinks.NAME.soracom".
    mutating func soracom(_ field: Field?, path: String) -> SoracomSettings? {
        guard let section = section(field, .soracom, path: path) else { return nil }
        var soracom = SoracomSettings()
        soracom.identity = identity(section)
        soracom.standby = speedClass(section["standby"]) ?? soracom.standby
        soracom.selected = speedClass(section["selected"]) ?? soracom.selected
        let via = words(section["via"], of: SoracomSettings.Way.self)
        soracom.via = via ?? soracom.via
        soracom.credentials = credentials(section["credentials"])
        if soracom.via.contains(.api) {
            soracom.credentials = soracom.credentials ?? Self.credentials
            if section["sim"] == nil, section["imsi"] == nil, via != nil || section["via"] == nil {
                fault(
                    section.position, "the SORACOM API needs to know the SIM",
                    "add sim: or imsi:, or `via: [metadata]` where the metadata service is enough")
            }
        }
        soracom.endpoint = endpoint(section["endpoint"])
        soracom.metadataEndpoint =
            url(section["metadata-endpoint"], schemes: ["http", "https"], base: true) ?? soracom.metadataEndpoint
        return soracom
    }

    /// The credential's name where the API is used and the policy gives none.
    private static let credentials = "soracom"

    private mutating func identity(_ section: Section) -> SoracomSettings.Identity? {
        if section["sim"] != nil, let imsi = section.keyPosition("imsi") {
            fault(imsi, "there is a sim already", "keep one of sim and imsi")
        }
        if let sim = digits(section["sim"], count: 18...22) { return .sim(sim) }
        return digits(section["imsi"], count: 14...15).map { .imsi($0) }
    }

    private mutating func digits(_ field: Field?, count: ClosedRange<Int>) -> String? {
        guard let field, let text = text(field, "a row of digits") else { return nil }
        if count.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return text }
        fault(
            field.position, "\(field.name) \(text.quoted) cannot be right",
            "it has \(count.lowerBound) to \(count.upperBound) digits")
        return nil
    }

    /// An open word of the form `s1.fast`: SORACOM adds classes.
    private mutating func speedClass(_ field: Field?) -> String? {
        guard let field, let text = text(field, "a speed class such as s1.fast") else { return nil }
        if SpeedClassNames.isWellFormed(text) {
            if !SpeedClassNames.known.contains(text) {
                warn(
                    field.position, "\(field.name) \(text.quoted) is no speed class that this release knows",
                    NearestName.of(text, among: SpeedClassNames.known).map { "did you mean \($0.quoted)?" }
                        ?? "SORACOM refuses one that the SIM's plan does not have")
            }
            return text
        }
        fault(
            field.position, "\(field.name) \(text.quoted) is no speed class",
            "write it like s1.minimum, s1.slow, s1.standard, s1.fast or s1.4xfast")
        return nil
    }

    /// A name, not a path: the courier has credentials by their names (systemd.exec(5)).
    mutating func credentials(_ field: Field?) -> String? {
        guard let field, let text = text(field, "the name of a credential") else { return nil }
        if (1...64).contains(text.utf8.count), text.first != ".", text.utf8.allSatisfy(isNameByte) { return text }
        fault(
            field.position, "\(field.name) \(text.quoted) is no credential name",
            text.contains("/") ? "write its name without a directory" : "letters, digits, and . _ - are taken")
        return nil
    }

    private mutating func endpoint(_ field: Field?) -> String? {
        guard let field, let url = url(field, schemes: ["http", "https"], base: true) else { return nil }
        if url.hasSuffix("/v1") {
            fault(field.position, "endpoint \(url.quoted) has the version in it", "write \(url.dropLast(3))")
            return nil
        }
        if url.lowercased().hasPrefix("http://") {
            warn(field.position, "endpoint \(url.quoted) is not encrypted", "the key would be readable on the way")
        }
        return url
    }
}
