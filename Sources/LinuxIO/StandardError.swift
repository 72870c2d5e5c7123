internal import CLinux
internal import Glibc

/// Lines to standard error that never wait: what its reader does not take is lost, counted, and told with the next line that goes out.
///
/// A file on a disk is the exception: the kernel has no way to write to one without waiting for it, so a service has a socket or a pipe.
package final class StandardError {
    private enum Way { case socket, ownDescription, asItIs }

    private let way: Way
    /// What was given, or opened anew: not to wait is set for all who share an open file, a terminal's shell too.
    private let raw: Int32
    package private(set) var lost = 0

    package init(_ descriptor: Int32 = 2) {
        var status = stat()
        switch fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0 {
        case S_IFSOCK: (way, raw) = (.socket, descriptor)
        case S_IFIFO, S_IFCHR:
            let opened = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
            (way, raw) = opened < 0 ? (.asItIs, descriptor) : (.ownDescription, opened)
        default: (way, raw) = (.asItIs, descriptor)
        }
    }

    deinit { if way == .ownDescription { close(raw) } }

    /// - Parameter notice: The line that says how many were lost before it.
    package func write(_ line: String, notice: (Int) -> String) {
        if lost > 0 {
            guard put(notice(lost)) else {
                lost += 1
                return
            }
            lost = 0
        }
        if !put(line) { lost += 1 }
    }

    /// False where it was not taken, or only a part of it.
    private func put(_ line: String) -> Bool {
        let bytes = Array((line + "\n").utf8)
        let count = bytes.withUnsafeBytes {
            way == .socket
                ? send(raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                : Glibc.write(raw, $0.baseAddress, $0.count)
        }
        return count == bytes.count
    }
}
