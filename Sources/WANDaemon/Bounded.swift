/// A sentence that holds words from elsewhere, no longer than a person reads: it stands in the status, the journal and the log.
func bounded(_ text: String, to most: Int = 1000) -> String {
    // Of bytes, which are counted at once; a text within them is within the characters, too.
    text.utf8.count <= most || text.count <= most ? text : text.prefix(most) + "…"
}
