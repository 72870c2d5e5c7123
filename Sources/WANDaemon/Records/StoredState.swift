package import JSONText
internal import LinuxIO
package import WANEngine
package import WANModel

/// What outlives the daemon: which number each uplink has and what the operator said.
///
/// Times are wall-clock: a moment of the boot clock means nothing after a reboot.
package struct StoredState: Hashable, Sendable {
    package var numbers: [String: UplinkNumber] = [:]
    package var pin: (uplink: String, until: Int64?, strict: Bool, force: Bool)?
    package var disabled: Set<String> = []
    package var drained: Set<String> = []
    package var speedOverrides: [String: String] = [:]
    /// The uplinks of each class of traffic (`TrafficClass.key`).
    package var choices: [String: [String]] = [:]
    package var drains: [Drain] = []
    /// The operator wants the site's traffic on this uplink of another box, until then (seconds since 1970) or until told
    /// otherwise.
    package var handOver: (uplink: String, until: Int64?)?

    /// When the ends in here were written, in seconds since 1970. A box whose clock is behind after a start, as one without a
    /// battery's is until it hears the time, must not wait longer than was left then.
    package var writtenAt: Int64?

    /// Flows of a class may finish on an uplink until then, in seconds since 1970.
    package struct Drain: Hashable, Sendable {
        package var uplink: String
        package var classKey: String
        package var until: Int64

        package init(uplink: String, classKey: String, until: Int64) {
            self.uplink = uplink
            self.classKey = classKey
            self.until = until
        }
    }

    package init() {}

    package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
    package func hash(into hasher: inout Hasher) { hasher.combine(json) }

    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("version", 1),
            .init(
                "numbers",
                .object(numbers.sorted { $0.key < $1.key }.map { .init($0.key, .integer(Int64($0.value.rawValue))) })),
            .init("disabled", .array(disabled.sorted().map { .string($0) })),
            .init("drained", .array(drained.sorted().map { .string($0) })),
            .init(
                "speed", .object(speedOverrides.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
            .init(
                "choices",
                .object(
                    choices.sorted { $0.key < $1.key }.map { .init($0.key, .array($0.value.map { .string($0) })) })),
            .init(
                "drains",
                .array(
                    drains.map {
                        [
                            "uplink": .string($0.uplink), "class": .string($0.classKey), "until": .integer($0.until),
                        ]
                    })),
        ]
        if let writtenAt { members.append(.init("at", .integer(writtenAt))) }
        if let handOver {
            members.append(
                .init("aside", ["uplink": .string(handOver.uplink), "until": JSONValue(handOver.until)]))
        }
        if let pin {
            members.append(
                .init(
                    "pin",
                    [
                        "uplink": .string(pin.uplink), "until": JSONValue(pin.until), "strict": .bool(pin.strict),
                        "force": .bool(pin.force),
                    ]))
        }
        return .object(members)
    }

    /// Takes what makes sense and leaves the rest: a damaged file must not keep the daemon from starting.
    package init(json: JSONValue) {
        for member in json["numbers"]?.members ?? [] {
            guard let raw = member.value.integer.flatMap({ UInt8(exactly: $0) }), UplinkNumber.range.contains(raw),
                !numbers.values.contains(UplinkNumber(rawValue: raw))
            else { continue }
            numbers[member.name] = UplinkNumber(rawValue: raw)
        }
        writtenAt = json["at"]?.integer
        disabled = Set((json["disabled"]?.array ?? []).compactMap(\.string))
        drained = Set((json["drained"]?.array ?? []).compactMap(\.string))
        for member in json["speed"]?.members ?? [] { speedOverrides[member.name] = member.value.string }
        for member in json["choices"]?.members ?? [] {
            choices[member.name] = (member.value.array ?? []).compactMap(\.string)
        }
        drains = (json["drains"]?.array ?? []).compactMap { entry in
            guard let uplink = entry["uplink"]?.string, let classKey = entry["class"]?.string,
                let until = entry["until"]?.integer
            else { return nil }
            return Drain(uplink: uplink, classKey: classKey, until: until)
        }
        if let entry = json["aside"], let uplink = entry["uplink"]?.string {
            // Within what a clock can show.
            handOver = (uplink, entry["until"]?.integer.map { min(max($0, 0), 1 << 33) })
        }
        if let pin = json["pin"], let uplink = pin["uplink"]?.string {
            self.pin = (uplink, pin["until"]?.integer, pin["strict"]?.bool ?? false, pin["force"]?.bool ?? false)
        }
    }

    // MARK: to and from the engine

    package func memory(now: Moment, unixSeconds: Int64) -> EngineMemory {
        var memory = EngineMemory()
        memory.disabled = Set(disabled.compactMap { numbers[$0] })
        memory.drained = Set(drained.compactMap { numbers[$0] })
        for (name, speedClass) in speedOverrides {
            if let number = numbers[name] { memory.speedOverrides[number] = speedClass }
        }
        memory.choices = choices.mapValues { $0.compactMap { numbers[$0] } }
        memory.drains = drains.compactMap { drain in
            // A clock that jumped must not keep flows on the expensive line for years.
            let left = max(0, min(secondsLeft(until: drain.until, unixSeconds: unixSeconds), 86400))
            return numbers[drain.uplink].map {
                EngineMemory.Drain(uplink: $0, classKey: drain.classKey, until: now + .seconds(left))
            }
        }
        if let pin, let number = numbers[pin.uplink], pin.until.map({ $0 > unixSeconds }) ?? true {
            memory.pin = Selection.Pin(
                uplink: number, until: moment(pin.until, now: now, unixSeconds: unixSeconds), strict: pin.strict,
                force: pin.force)
        }
        return memory
    }

    /// For which uplink of another box this one stands aside, and until when.
    package func handOver(now: Moment, unixSeconds: Int64) -> SiteRole.HandOver? {
        handOver.map {
            SiteRole.HandOver(
                uplink: $0.uplink, since: now, until: moment($0.until, now: now, unixSeconds: unixSeconds))
        }
    }

    /// Held within what a clock can show, whatever file and clock say.
    private static func held(_ seconds: Int64) -> Int64 { min(max(seconds, 0), 1 << 33) }

    private func secondsLeft(until: Int64, unixSeconds: Int64) -> Int64 {
        let byClock = Self.held(until) - Self.held(unixSeconds)
        return min(byClock, writtenAt.map { Self.held(until) - Self.held($0) } ?? byClock)
    }

    private func moment(_ until: Int64?, now: Moment, unixSeconds: Int64) -> Moment? {
        until.map { now + .seconds(secondsLeft(until: $0, unixSeconds: unixSeconds)) }
    }

    private static func unixSeconds(of moment: Moment, now: Moment, unixSeconds: Int64) -> Int64 {
        held(held(unixSeconds) + (moment - now).components.seconds)
    }

    package mutating func remember(
        _ memory: EngineMemory, handOver: SiteRole.HandOver? = nil, now: Moment, unixSeconds: Int64
    ) {
        writtenAt = unixSeconds
        func clock(_ moment: Moment) -> Int64 { Self.unixSeconds(of: moment, now: now, unixSeconds: unixSeconds) }
        self.handOver = handOver.map { ($0.uplink, $0.until.map(clock)) }
        func name(_ number: UplinkNumber) -> String? { numbers.first { $0.value == number }?.key }
        disabled = Set(memory.disabled.compactMap(name))
        drained = Set(memory.drained.compactMap(name))
        speedOverrides = [:]
        for (number, speedClass) in memory.speedOverrides {
            if let name = name(number) { speedOverrides[name] = speedClass }
        }
        choices = memory.choices.mapValues { $0.compactMap(name) }
        drains = memory.drains.compactMap { drain in
            name(drain.uplink).map {
                Drain(uplink: $0, classKey: drain.classKey, until: clock(drain.until))
            }
        }
        pin = memory.pin.flatMap { pin in
            name(pin.uplink).map {
                ($0, pin.until.map(clock), pin.strict, pin.force)
            }
        }
    }
}

extension StoredState {
    /// The state that an earlier run left in the first of these files that is there and in order, and what was wrong with one before.
    static func read(_ paths: [String]) -> (StoredState, problem: String?) {
        var problem: String?
        for path in paths where Files.exists(path) {
            do {
                let bytes = try Files.readRegular(path, limit: 1 << 20)
                return (StoredState(json: try JSONValue(parsing: bytes)), problem)
            } catch {
                problem = problem ?? "\(path): \(error), starting without it"
            }
        }
        return (StoredState(), problem)
    }
}
