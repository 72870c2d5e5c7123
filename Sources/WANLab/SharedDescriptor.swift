internal import LinuxIO

/// A descriptor that a socket's record and its handlers share; it closes with the last of them.
final class SharedDescriptor {
    let owned: OwnedDescriptor
    init(_ owned: consuming OwnedDescriptor) { self.owned = owned }

    var raw: Int32 { owned.raw }
}
