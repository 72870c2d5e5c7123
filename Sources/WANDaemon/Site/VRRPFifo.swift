package import LinuxIO
package import WANModel

/// Where keepalived says what becomes of its instances (`vrrp_notify_fifo`, `notify_fifo`).
///
/// What keepalived does with it (lib/notify.c and vrrp_notify.c of 2.2.7, and tried with it):
///
/// - It opens the FIFO at its start and at a reload, O_RDWR and non-blocking, holds it open, and makes it (mode 0600, root) where
///   it is missing; only one that it made is removed at its end. So the daemon makes it first, and keeps it through its own restarts.
/// - It never waits: a line that finds the pipe full (64 KiB, some 2,500 lines) is lost without a word. Lines that were written
///   while no daemon ran wait in the pipe; the last one that came in tells most, but where the pipe was full it is old.
/// - It goes on writing into the FIFO that it has open, also when the file is gone: after one was replaced (`wasMade`) nothing
///   comes until keepalived is reloaded. It should say its states then (`fifo_write_vrrp_states_on_reload`), and does not
///   always (its issue 2359; 2.2.7 in the lab never did).
///
/// So a notice is the quick word, and whether the virtual address stands on the interface the true one: the daemon adopts its
/// role from there at its start, and when the two disagree.
package struct VRRPFifo: ~Copyable {
    private var fifo: LineFIFO

    /// The file and its directory are made where they are missing; mode 0600, for keepalived is root.
    package init(_ path: String) throws(SystemCallError) { fifo = try LineFIFO(path, mode: 0o600) }

    /// Whether keepalived had it open when it was last read: it holds it as long as it lives. `nil` before that.
    package var hasWriter: Bool? { fifo.hasWriter }

    /// To be watched for reading, edge-triggered.
    package var descriptor: Int32 { fifo.descriptor.raw }

    /// Whether keepalived, if it runs, has to be reloaded before it is heard.
    package var wasMade: Bool { fifo.wasMade }

    /// Whether the path still leads here; else it is time for a new one, and `wasMade` says what that means.
    package var isIntact: Bool { fifo.isIntact }

    /// What has arrived, in order; what is no notice as the reason why. Nothing is waited for, and whoever writes without end has
    /// the rest read later.
    package mutating func notices() throws(SystemCallError) -> [Result<VRRPNotice, VRRPNoticeError>] {
        var lines = try fifo.lines()
        for _ in 0..<4 {
            let more = try fifo.lines()
            if more.isEmpty { break }
            lines += more
        }
        return lines.map { line in
            do throws(VRRPNoticeError) { return .success(try VRRPNotice(line: line)) } catch { return .failure(error) }
        }
    }
}
