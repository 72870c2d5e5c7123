internal import LinuxIO

/// All that the services know, behind one lock.
struct SoracomState: Sendable {
    var sims: [SoracomSIM]
    /// AuthKey ID to AuthKey.
    var authKeys: [String: String]
    var metadata = SoracomMetadataSetting.writable
    var sessions: [String: Session] = [:]
    var faults: [SoracomOperation: [(fault: SoracomFault, times: Int)]] = [:]
    var calls: [SoracomCall] = []
    var violations: [String] = []
    var random = SystemRandomNumberGenerator()

    static let operatorID = "OP0012345678"
    /// The record is for tests and a demonstration, not for months.
    private static let recordLimit = 10_000

    /// What `/auth` gave out.
    struct Session: Sendable {
        var token: String
        /// `Clock.boottime`, nanoseconds.
        var expires: Int64
    }

    init(sims: [SoracomSIM], authKeys: [String: String]) {
        self.sims = sims
        self.authKeys = authKeys
    }

    mutating func record(_ call: SoracomCall) {
        if calls.count >= Self.recordLimit { calls.removeFirst(Self.recordLimit / 2) }
        calls.append(call)
    }

    mutating func violate(_ what: String) {
        if violations.count < Self.recordLimit { violations.append(what) }
    }

    /// The fault that is due, counted down.
    mutating func takeFault(for operation: SoracomOperation) -> SoracomFault? {
        guard let next = faults[operation]?.first else { return nil }
        if next.times <= 1 {
            faults[operation]?.removeFirst()
        } else if next.times != .max {
            faults[operation]?[0].times -= 1
        }
        return next.fault
    }

    mutating func newSession(seconds: Int64) -> (apiKey: String, token: String) {
        let apiKey = "api-\(hex(8))-\(hex(4))-\(hex(4))-\(hex(4))-\(hex(12))"
        let token = "\(hex(64)).\(hex(64))"
        sessions[apiKey] = Session(token: token, expires: Clock.boottime() + seconds * 1_000_000_000)
        return (apiKey, token)
    }

    func place(sim id: String) -> Int? { sims.firstIndex { $0.simID == id } }
    func place(imsi: String) -> Int? { sims.firstIndex { $0.imsi == imsi } }
    func place(source: String) -> Int? { sims.firstIndex { $0.addresses.contains(source) } }

    private mutating func hex(_ digits: Int) -> String {
        String((0..<digits).map { _ in "0123456789abcdef".randomElement(using: &random) ?? "0" })
    }
}
