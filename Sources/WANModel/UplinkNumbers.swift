/// Which number each uplink of a policy gets.
package enum UplinkNumbers {
    /// Names keep the numbers they had; new ones take the lowest that no remembered name has, so that a number is not
    /// given to another uplink while flows in the kernel may still carry it. Only when all 64 are taken are those of
    /// names that are gone used again.
    package static func assign(
        _ names: [String], remembered: [String: UplinkNumber]
    ) -> [String: UplinkNumber] {
        var numbers = remembered.filter { names.contains($0.key) && UplinkNumber.range.contains($0.value.rawValue) }
        for name in names where numbers[name] == nil {
            let taken = Set(numbers.values)
            let all = UplinkNumber.range.map { UplinkNumber(rawValue: $0) }.filter { !taken.contains($0) }
            let reserved = Set(remembered.values)
            guard let free = all.first(where: { !reserved.contains($0) }) ?? all.first else { continue }
            numbers[name] = free
        }
        return numbers
    }
}
