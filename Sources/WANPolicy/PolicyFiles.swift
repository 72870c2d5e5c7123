internal import LinuxIO

/// A file as it was read.
package struct ReadFile: Hashable, Sendable {
    package var path: String
    package var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Where a policy's other files come from: those that it names by `file:`.
///
/// A value, so that tests and fuzzers need no disk.
package struct PolicyFiles: Sendable {
    package enum Failure: Error, Hashable, Sendable {
        case tooLarge
        /// The reason, in a sentence.
        case unreadable(String)
    }

    /// The bytes of the file at a path, at most so many.
    package var read: @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], Failure>

    package init(read: @escaping @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], Failure>) {
        self.read = read
    }

    /// No file can be read.
    package static let none = PolicyFiles { _, _ in .failure(.unreadable("there are no files here")) }

    /// Files of this machine; only regular ones, since another could make a reload wait for ever.
    package static let onDisk = PolicyFiles { path, limit in
        do throws(SystemCallError) {
            return .success(try Files.readRegular(path, limit: limit))
        } catch {
            if error.isTooLarge { return .failure(.tooLarge) }
            return .failure(.unreadable(error.isNoRegularFile ? "it is no regular file" : errorText(error.errno)))
        }
    }
}
