internal import Glibc

/// A system call the kernel refused: which one, by its manual name, why, and about what.
package struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As in `socket(2)`.
    package var call: String
    /// As in errno(3).
    package var errno: Int32
    /// What the call was about: a path, an interface; may be empty.
    package var subject: String

    package init(call: String, errno: Int32, subject: String = "") {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    package init(call: String, subject: String = "") {
        self.init(call: call, errno: Glibc.errno, subject: subject)
    }

    package var description: String {
        "\(call)\(subject.isEmpty ? "" : " \(subject)"): \(errorText(errno))"
    }
}

/// strerror(3) as a value.
package func errorText(_ errno: Int32) -> String {
    String(cString: strerror(errno))
}

/// Runs a call that reports failure by −1, again where a signal interrupted it.
package func checked<Result: SignedInteger>(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if Glibc.errno != EINTR { throw SystemCallError(call: call, errno: Glibc.errno, subject: subject()) }
    }
}

/// Calls until all bytes are written: the call gets those that are left, and how many were written before.
func checkedToTheEnd(
    _ call: String, _ subject: String, _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer, Int) -> Int
) throws(SystemCallError) {
    var done = 0
    while done < bytes.count {
        let from = done
        done += try checked(call, subject) { bytes[from...].withUnsafeBytes { body($0, from) } }
    }
}
