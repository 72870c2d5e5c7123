import Testing
import WANLab

@Suite("Figures of a bench")
struct BenchSheetTests {
    @Test("a distribution knows its middle and its ends, by nearest rank")
    func distribution() {
        let spread = Distribution([5, 1, 4, 2, 3, 6, 8, 7, 10, 9])
        #expect(spread.least == 1)
        #expect(spread.median == 5.5)
        #expect(spread.percentile(0.9) == 9)
        #expect(spread.percentile(0.99) == 10)
        #expect(spread.most == 10)
        #expect(Distribution([7]).median == 7)
        #expect(Distribution([7]).percentile(0.01) == 7)
    }

    @Test("nothing measured is no number, and meets no bar by looking small")
    func nothing() {
        let none = Distribution([])
        #expect(none.median.isNaN)
        #expect(none.percentile(0.99).isNaN)
        #expect(!(none.most <= 600))
    }

    @Test(
        "numbers are rounded, not cut",
        arguments: [
            (0.0, 1, "0.0"), (0.05, 1, "0.1"), (1.995, 2, "2.00"), (-0.04, 1, "0.0"), (-1.25, 1, "-1.3"),
            (12.0, 0, "12"), (0.007, 3, "0.007"), (.nan, 1, "–"), (.infinity, 1, "–"),
        ])
    func figures(value: Double, digits: Int, text: String) {
        #expect(Figure.fixed(value, digits) == text)
    }
}
