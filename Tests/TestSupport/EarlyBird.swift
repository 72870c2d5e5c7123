extension [String] {
    /// The way of a client through the lines of three boxes, without the worst one where it was the first to follow the best.
    ///
    /// Where the best box dies, the next ones are a few hundredths of a second apart (skew time, RFC 9568 section 6.1): on a busy
    /// machine the worse may be quicker, until the better one takes the address from it.
    package func without(earlyBird worst: String) -> [String] {
        dropFirst().first == worst ? Array(prefix(1) + dropFirst(2)) : self
    }
}
