internal import JSONText
internal import LinuxIO

/// The operator's end of the control socket; blocking, for a command that has nothing else to do.
///
/// Whatever goes wrong becomes a refusal whose code is the command's exit code and whose reason says what was tried.
package struct ControlClient: ~Copyable {
    package static let defaultPath = "/run/wanctl/wanctl.sock"
    /// An answer line longer than this is not ours.
    private static let longestAnswer = 16 << 20

    private let socket: OwnedDescriptor
    private let path: String
    private var input: LineBuffer

    /// - Parameter seconds: How long it waits where others wait for the daemon already.
    package init(path: String, seconds: Int = 2) throws(ControlRefusal) {
        do throws(SystemCallError) {
            socket = try UnixStream.connect(to: path, timeoutSeconds: seconds)
        } catch {
            throw Self.meaning(of: error, at: path)
        }
        // Swift 6.2 destroys twice what is set when this throws: all that needs destroying is set after the last `try`.
        self.path = path
        input = LineBuffer(limit: Self.longestAnswer)
    }

    private static func meaning(of error: SystemCallError, at path: String) -> ControlRefusal {
        if error.isNobodyThere {
            ControlRefusal(
                .unavailable, "no daemon answers at \(path); is wanctld running? Try: systemctl status wanctld")
        } else if error.isNotPermitted {
            ControlRefusal(
                .notPermitted,
                "you may not talk to the daemon at \(path): its socket is for root and the group"
                    + " \(ControlAccess.groupName) (use sudo, or have yourself added to that group)")
        } else if error.isTryAgain {
            ControlRefusal(.tryAgain, "the daemon at \(path) takes no more connections just now; try again")
        } else {
            ControlRefusal(.unavailable, "cannot reach a daemon at \(path): \(error)")
        }
    }

    package mutating func send(_ request: ControlRequest) throws(ControlRefusal) {
        let line = Array(request.json.text.utf8) + [10]
        var done = 0
        while done < line.count {
            do throws(SystemCallError) {
                guard let count = try UnixStream.send(line[done...], to: socket) else {
                    throw SystemCallError(call: "send(2)", errno: 0, subject: "no room for 2 s")
                }
                done += count
            } catch  where error.isClosedByPeer {
                return  // a daemon that hangs up at once has said why: that is for `next` to read
            } catch {
                throw ControlRefusal(.tryAgain, "the daemon at \(path) does not take the request: \(error)")
            }
        }
    }

    /// The next answer; `nil` where none came in time. Without a time it waits for ever.
    package mutating func next(within milliseconds: Int32? = nil) throws(ControlRefusal) -> ControlAnswer? {
        while true {
            if let line = input.next() {
                do throws(ReportError) {
                    return try ControlAnswer(line: line)
                } catch {
                    throw ControlRefusal(.tryAgain, "what answers at \(path) is no wanctl daemon: \(error)")
                }
            }
            do throws(SystemCallError) {
                guard try UnixStream.waitReadable(socket, milliseconds: milliseconds ?? -1) else { return nil }
                let bytes = try UnixStream.receive(from: socket, limit: 65536) ?? []
                if bytes.isEmpty || input.isOverlong { throw SystemCallError(call: "recv(2)", errno: 0) }
                input.append(bytes)
            } catch {
                throw ControlRefusal(
                    .tryAgain, "the daemon at \(path) hung up before its answer was complete; it may be restarting")
            }
        }
    }

    /// One request with one result.
    package mutating func ask(
        _ request: ControlRequest, milliseconds: Int32 = 10_000
    ) throws(ControlRefusal) -> ControlAnswer {
        try send(request)
        guard let answer = try next(within: milliseconds) else {
            throw ControlRefusal(
                .tryAgain, "the daemon at \(path) did not answer within \(milliseconds / 1000) s; try again")
        }
        return answer
    }
}
