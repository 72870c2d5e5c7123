internal import CNftables
internal import Glibc

/// A libnftables context: rulesets go in whole or not at all.
///
/// Keep one for as long as the program runs: closing its socket after a change waits 11–16 ms for the kernel to clean up
///. It belongs to the network namespace its maker's thread was in.
package struct NftablesContext: ~Copyable {
    private let context: OpaquePointer

    private init(taking context: OpaquePointer) { self.context = context }

    package static func make() throws(NftablesError) -> NftablesContext {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NftablesError(text: "nft_ctx_new: \(String(cString: strerror(errno)))")
        }
        let made = NftablesContext(taking: context)  // from here every way out frees it
        guard nft_ctx_buffer_output(context) == 0, nft_ctx_buffer_error(context) == 0 else {
            throw NftablesError(text: "nft_ctx_buffer_output: no memory")
        }
        return made
    }

    deinit { nft_ctx_free(context) }

    /// `nft -f -`: everything in the text in one transaction; where one part is refused nothing changes.
    ///
    /// With `dryRun` (`nft --check`) the kernel judges it, too, and then forgets it.
    package mutating func apply(_ ruleset: String, dryRun: Bool = false) throws(NftablesError) {
        nft_ctx_set_dry_run(context, dryRun)
        // As a file, because libnftables names line and column of a fault only there; a file of no directory, in memory.
        let file = wan_nft_memfd_create("ruleset", 1)  // MFD_CLOEXEC
        guard file >= 0 else { throw NftablesError(text: "memfd_create(2): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        try write(ruleset, to: file)
        let path = "/proc/self/fd/\(file)"
        do throws(NftablesError) {
            _ = try finish(nft_run_cmd_from_filename(context, path))
        } catch {
            throw NftablesError(text: error.text.replacing(path, with: "ruleset"))
        }
    }

    private func write(_ ruleset: String, to file: Int32) throws(NftablesError) {
        var rest = Array(ruleset.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw NftablesError(text: "write(2): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// How a listing is written.
    package enum Format: Hashable, Sendable {
        /// As `nft -f` reads it.
        case text
        /// As libnftables-json(5) has it.
        case json
    }

    /// `nft list table FAMILY NAME`; `nil` where there is no such table. `table` is family and name: `inet wanctl`.
    package mutating func list(table: String, format: Format = .text) throws(NftablesError) -> String? {
        do throws(NftablesError) {
            return try list("list table \(table)", format)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// Whether a chain of that name stands in a table (`nft list chain`); `table` is family and name.
    package mutating func has(chain: String, in table: String) throws(NftablesError) -> Bool {
        do throws(NftablesError) {
            _ = try list("list chain \(table) \(chain)", .text)
            return true
        } catch {
            if error.isNotFound { return false }
            throw error
        }
    }

    private mutating func list(_ command: String, _ format: Format) throws(NftablesError) -> String {
        nft_ctx_set_dry_run(context, false)
        let usual = nft_ctx_output_get_flags(context)
        if format == .json { nft_ctx_output_set_flags(context, usual | UInt32(NFT_CTX_OUTPUT_JSON)) }
        defer { nft_ctx_output_set_flags(context, usual) }
        return try finish(nft_run_cmd_from_buffer(context, command))
    }

    private mutating func finish(_ status: Int32) throws(NftablesError) -> String {
        // Reading a buffer empties it: both are read every time.
        let output = nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
        let complaint = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
        guard status == 0 else {
            throw NftablesError(text: complaint.isEmpty ? "refused without a reason" : complaint.trimmingNewlines)
        }
        return output
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self
        while text.last == "\n" { text.removeLast() }
        return text
    }
}
