internal import CLinux
internal import Glibc

/// Signals as something to read (signalfd(2)) instead of something that interrupts.
package struct SignalReader: ~Copyable {
    package let descriptor: OwnedDescriptor

    /// Blocks the signals for the process and opens a reader for them. Call before any thread is started.
    package init(_ signals: [Int32]) throws(SystemCallError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        _ = try checked("sigprocmask(2)") { sigprocmask(SIG_BLOCK, &set, nil) }
        descriptor = OwnedDescriptor(
            taking: try checked("signalfd(2)") { signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)) })
    }

    /// The next signal that arrived; `nil` when there is none.
    package func next() -> Int32? {
        var info = signalfd_siginfo()
        let count = read(descriptor.raw, &info, MemoryLayout<signalfd_siginfo>.size)
        return count == MemoryLayout<signalfd_siginfo>.size ? Int32(info.ssi_signo) : nil
    }

    /// Writing to a peer that left returns EPIPE, and past the size that files may have (setrlimit(2) RLIMIT_FSIZE) EFBIG,
    /// instead of ending the process.
    package static func ignoreFailedWrites() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}
