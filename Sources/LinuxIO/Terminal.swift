internal import CLinux
internal import Glibc

/// What a command writes to, and whether a person sits before it.
package enum Terminal {
    package enum Stream: Int32, Sendable {
        case output = 1
        case error = 2
    }

    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

    /// Columns of the terminal; `nil` where the stream is none or does not know (tty_ioctl(4)).
    package static func width(of stream: Stream) -> Int? {
        var size = winsize()
        guard wan_ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes it all at once, past stdio's buffers: a line of a stream is there when it happened.
    package static func write(_ text: String, to stream: Stream = .output) throws(SystemCallError) {
        try checkedToTheEnd("write(2)", "", Array(text.utf8)) { rest, _ in
            Glibc.write(stream.rawValue, rest.baseAddress, rest.count)
        }
    }

    /// A variable of the environment; `nil` when it is unset or empty.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// UNIX time as a person at this machine reads it: `2026-11-21 05:12:07` in the local zone (localtime_r(3)).
package func localTime(_ unixNanoseconds: Int64) -> String {
    var seconds = time_t(unixNanoseconds / 1_000_000_000)
    var broken = tm()
    localtime_r(&seconds, &broken)
    func pad(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(broken.tm_year + 1900)-\(pad(broken.tm_mon + 1))-\(pad(broken.tm_mday))"
        + " \(pad(broken.tm_hour)):\(pad(broken.tm_min)):\(pad(broken.tm_sec))"
}
