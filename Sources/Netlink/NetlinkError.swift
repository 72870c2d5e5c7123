internal import Glibc
internal import LinuxIO
internal import PacketWire

/// What was asked of the kernel over netlink and why it was not done.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked, in ip(8)'s words.
    package var operation: String
    /// As in errno(3). ETIMEDOUT: the kernel did not answer within a second; EBADMSG: the answer could not be read.
    package var errno: Int32
    /// The kernel's own sentence (extended ACK), where it gave one.
    package var sentence: String?

    package var description: String {
        "\(operation): \(errorText(errno))\(sentence.map { " (\($0))" } ?? "")"
    }
}

extension NetlinkError {
    init(_ operation: String, _ verdict: NetlinkVerdict) {
        self.init(operation: operation, errno: verdict.errno, sentence: verdict.sentence)
    }

    init(_ operation: String, _ error: WireError) {
        self.init(operation: operation, errno: EBADMSG, sentence: "\(error)")
    }
}

/// What became of a request.
package enum NetlinkOutcome: Hashable, Sendable {
    case done
    /// Nothing to do: what should be added was there, what should be deleted was gone.
    case alreadySo
    case refused(NetlinkError)

    package var error: NetlinkError? { if case .refused(let error) = self { error } else { nil } }
}
