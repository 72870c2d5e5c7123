internal import HTTPTransfer
internal import JSONText
internal import LinuxIO

/// Who we are to SORACOM, from a file as soracom-cli keeps them in `~/.soracom`.
///
/// Of its fields only `authKeyId`, `authKey`, `coverageType`, `sandbox` and `endpoint` are used. `profileCommand` is refused
/// (a program named by a file would run with the file's say); a password or a switch of user gives no answer that works
/// unattended.
package struct Profile: Hashable, Sendable {
    package enum Coverage: String, Hashable, Sendable { case japan = "jp", global = "g" }

    package var authKeyID: String
    package var authKey: String
    package var coverage: Coverage
    package var isSandbox: Bool
    /// Without `/v1`.
    package var endpoint: String?

    /// Reads the file; refused if it is not regular or if anybody but its owner may read it.
    package static func read(_ path: String) throws(ProfileFault) -> Profile {
        let bytes: [UInt8]
        do {
            bytes = try Files.readSecret(path)
        } catch {
            throw ProfileFault("\(error)")
        }
        do {
            return try Profile(parsing: bytes)
        } catch {
            throw ProfileFault("\(path): \(error.text)")
        }
    }

    package init(parsing bytes: [UInt8]) throws(ProfileFault) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            // Where, and nothing of what is there: the file is full of secrets.
            throw ProfileFault("not JSON (line \(error.line), column \(error.column))")
        }
        guard json.members != nil else { throw ProfileFault("not a JSON object") }
        func text(_ name: String) throws(ProfileFault) -> String? {
            switch json[name] {
            case nil, .null?, .string("")?: return nil
            case .string(let text)?: return text
            default: throw ProfileFault("\(name) is not a string")
            }
        }
        guard try text("profileCommand") == nil else {
            throw ProfileFault("profileCommand would run a program; put authKeyId and authKey into the file instead")
        }
        guard let id = try text("authKeyId"), let key = try text("authKey") else {
            throw ProfileFault(
                "authKeyId and authKey are needed (make an AuthKey for a SAM user; a password will not do)")
        }
        for (name, value) in [("authKeyId", id), ("authKey", key)]
        where !value.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
            throw ProfileFault("\(name) has a blank or a control character in it")
        }
        authKeyID = id
        authKey = key
        guard let coverage = Coverage(rawValue: try text("coverageType") ?? "jp") else {
            throw ProfileFault("coverageType is neither jp nor g")
        }
        self.coverage = coverage
        isSandbox = json["sandbox"]?.bool ?? false
        endpoint = try text("endpoint")
    }
}

/// Why a profile cannot be used; never quotes the file.
package struct ProfileFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}
