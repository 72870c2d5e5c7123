internal import JSONText
internal import LinuxIO
package import WANControl
package import WANPolicy

/// The policy that was last in force, with every file that it reads: what a daemon starts with whose policy file is faulty.
package struct KeptPolicy: Hashable, Sendable {
    /// The box that obeyed it, and where it was read: another box, or another policy file, must not have it.
    package var node: String
    package var path: String
    package var adoptedAt: Timestamp
    /// The policy first.
    package var files: [ReadFile]

    package init(node: String, path: String, adoptedAt: Timestamp, files: [ReadFile]) {
        self.node = node
        self.path = path
        self.adoptedAt = adoptedAt
        self.files = files
    }

    /// A line with the digest of what follows, a line of JSON that says what it is, and the files one after the other.
    package var bytes: [UInt8] {
        let head: JSONValue = [
            "version": 1, "node": .string(node), "path": .string(path), "adopted_at": .string(adoptedAt.text),
            "files": .array(files.map { ["path": .string($0.path), "size": .integer(Int64($0.bytes.count))] }),
        ]
        let rest = Array((head.text + "\n").utf8) + files.flatMap(\.bytes)
        return Array((sha256(rest) + "\n").utf8) + rest
    }

    /// `nil` for one that is damaged in any way.
    package init?(parsing bytes: [UInt8]) {
        guard let first = bytes.firstIndex(of: 10) else { return nil }
        let rest = Array(bytes[(first + 1)...])
        guard String(decoding: bytes[..<first], as: UTF8.self) == sha256(rest), let second = rest.firstIndex(of: 10),
            let head = try? JSONValue(parsing: Array(rest[..<second])), head["version"] == 1,
            let node = head["node"]?.string, let path = head["path"]?.string,
            let adoptedAt = head["adopted_at"]?.string.flatMap({ Timestamp($0) }), let list = head["files"]?.array
        else { return nil }
        var files: [ReadFile] = []
        var left = rest[(second + 1)...]
        for entry in list {
            guard let path = entry["path"]?.string, let size = entry["size"]?.integer.flatMap({ Int(exactly: $0) }),
                (0...left.count).contains(size)
            else { return nil }
            files.append(ReadFile(path: path, bytes: Array(left.prefix(size))))
            left = left.dropFirst(size)
        }
        guard !files.isEmpty, left.isEmpty else { return nil }
        self.init(node: node, path: path, adoptedAt: adoptedAt, files: files)
    }
}

extension KeptPolicy {
    /// The one that is kept in that directory; `nil` where there is none that is whole.
    package static func read(_ directory: String) -> KeptPolicy? {
        let longest = RecordFrame.longestBody
        return (try? Files.readRegular("\(directory)/policy.kept", limit: longest)).flatMap { KeptPolicy(parsing: $0) }
    }
}
