/// Which signed words of a peer are new: none that somebody has recorded is taken a second time, whenever he sends it.
///
/// A word is taken where it echoes our present challenge and its number is above those of its run that came before. The first word of
/// another run that is taken makes a new challenge: so the words of former runs are void. A peer that has just started knows no challenge
/// of ours; its word only tells us its own, and is answered at once, so that it knows ours and the next one is taken. Two boxes that start
/// hear each other after three words each. A value: random numbers come in.
package struct PeerFreshness: Hashable, Sendable {
    package struct Finding: Hashable, Sendable {
        package var isTaken: Bool
        /// What to echo at once in a word to this peer; `nil` where nothing has to be said.
        package var answer: UInt64?

        package init(isTaken: Bool, answer: UInt64? = nil) {
            self.isTaken = isTaken
            self.answer = answer
        }
    }

    private struct Run: Hashable, Sendable {
        var number: UInt64
        /// The highest that was heard; nothing more is heard of one that is over.
        var sequence: UInt64
    }

    /// For the peer to echo.
    package private(set) var challenge: UInt64
    /// The peer's challenge; 0 until a word of it was taken.
    package private(set) var echo: UInt64 = 0
    /// Of which words are taken.
    private var present: Run?
    /// Others, the newest last: who sends old words on gets an answer to each at most once.
    private var others: [Run] = []
    private var answersLeft = mostAnswers

    private static let mostOthers = 16
    /// Between two words that are sent in any case, one a second at least: two boxes that start need three.
    private static let mostAnswers = 4

    /// - Parameter challenge: Random, and not 0.
    package init(challenge: UInt64) { self.challenge = challenge }

    /// A word that was not asked for goes to the peer.
    package mutating func allowAnswers() { answersLeft = Self.mostAnswers }

    /// Judges a word whose proof is right.
    ///
    /// - Parameter next: The challenge after the present one: random, and not 0.
    package mutating func hear(_ word: SignedWord, next: UInt64) -> Finding {
        guard isUnheard(word) else { return Finding(isTaken: false) }
        guard word.echo == challenge else {
            // Who sends old words on has none with such a number: this one is the peer's, whose challenge is another one now.
            if word.run == present?.number { echo = word.challenge }
            return Finding(isTaken: false, answer: answer(word.challenge))
        }
        let isNews = word.run != present?.number || word.challenge != echo
        if word.run != present?.number {
            others.removeAll { $0.number == word.run }
            if let present { remember(Run(number: present.number, sequence: .max)) }
            present = Run(number: word.run, sequence: word.sequence)
            challenge = next
        }
        echo = word.challenge
        return Finding(isTaken: true, answer: isNews ? answer(echo) : nil)
    }

    /// Whether the number of the word is above all of its run, which it then is itself.
    private mutating func isUnheard(_ word: SignedWord) -> Bool {
        if let run = present, run.number == word.run {
            guard word.sequence > run.sequence else { return false }
            present?.sequence = word.sequence
        } else if let index = others.firstIndex(where: { $0.number == word.run }) {
            guard word.sequence > others[index].sequence else { return false }
            others[index].sequence = word.sequence
        } else {
            remember(Run(number: word.run, sequence: word.sequence))
        }
        return true
    }

    private mutating func remember(_ run: Run) {
        if others.count == Self.mostOthers { others.removeFirst() }
        others.append(run)
    }

    private mutating func answer(_ challenge: UInt64) -> UInt64? {
        guard answersLeft > 0 else { return nil }
        answersLeft -= 1
        return challenge
    }
}
