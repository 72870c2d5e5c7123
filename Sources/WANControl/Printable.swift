/// A text from elsewhere made safe for a terminal: what is not printable is shown as `\u{…}`.
///
/// Names of interfaces and words of a service reach the screen of an administrator; an escape sequence in one must not.
package func printable(_ text: some StringProtocol) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            out += "\\u{\(String(scalar.value, radix: 16))}"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}

/// The same between quotes and not longer than a person reads.
package func quoted(_ text: some StringProtocol) -> String {
    text.count > 60 ? "\"\(printable(text.prefix(60)))…\"" : "\"\(printable(text))\""
}
