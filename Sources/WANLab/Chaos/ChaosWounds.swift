/// What an act leaves that somebody must heal.
package enum ChaosWound: Hashable, Sendable {
    case line(LabUplink)
    case address(LabUplink)
    case targets
    case stranger(ChaosBox, StrangersDeed)
    case orders(ChaosBox)
    case policy(ChaosBox)
    /// The daemon does not run.
    case daemon(ChaosBox)
    /// It is stopped, by SIGSTOP.
    case hang(ChaosBox)
    case disk(ChaosBox, ChaosDisk)
    /// Its recorder or its courier does not run, or stands still.
    case helpers(ChaosBox)
    case soracom
    case keepalived(ChaosBox)
    case cable(ChaosBox)
    case power(ChaosBox)

    /// Policy and orders need a daemon that listens, and an order needs the policy that knows its uplink.
    package var rank: Int {
        switch self {
        case .power: 0
        case .policy: 2
        case .orders: 3
        default: 1
        }
    }
}

/// What is wrong at a moment of a story, and so what can happen next.
package struct ChaosWounds: Hashable, Sendable {
    package private(set) var open: [ChaosWound] = []
    private var goneLines: Set<LabUplink> = []

    package init() {}

    // MARK: what can happen

    /// Whether this has a sense now: nobody kills what is dead.
    package func allow(_ act: ChaosAct) -> Bool {
        switch act {
        case .line(let line, let words):
            return isPowered(line) && !(goneLines.contains(line) && ["gone", "carrier-off"].contains(words))
        case .renumber(let line):
            let hasAddress = !open.contains {
                if case .stranger(let box, .flushesAddress) = $0 { box.has(line) } else { false }
            }
            return isPowered(line) && !goneLines.contains(line) && !has(.address(line)) && hasAddress
        case .target, .soracom: return true
        case .stranger(let box, let deed):
            if deed.needsLine, goneLines.contains(box.best) { return false }
            if deed == .flushesAddress, has(.address(box.best)) { return false }
            return isPowered(box) && !has(.stranger(box, deed))
        case .order(let box, _): return listens(box)
        case .policy(let box, _): return isPowered(box) && !has(.hang(box))
        case .daemon(let box, let deed):
            switch deed {
            case .kill: return isPowered(box) && !has(.daemon(box))
            case .terminate, .restart, .crash, .hang, .succeed: return listens(box)
            case .cleanUp: return isPowered(box) && has(.daemon(box))
            case .handOver: return box != .router && isPowered(box) && !listens(box)
            }
        case .disk(let box, let disk): return isPowered(box) && !has(.disk(box, disk))
        case .helper(let box, _): return isPowered(box) && !has(.helpers(box))
        case .keepalived(let box, _): return isPowered(box) && !has(.keepalived(box))
        case .cable(let box, _): return isPowered(box) && !has(.cable(box))
        case .power(let box): return !open.contains { concerns($0, box) }
        }
    }

    package func allowHealing(of wound: ChaosWound) -> Bool {
        switch wound {
        case .policy(let box): listens(box)
        case .orders(let box): listens(box) && !has(.policy(box))
        case .address(let line): !goneLines.contains(line)
        default: true
        }
    }

    // MARK: what happens

    package mutating func suffer(_ act: ChaosAct) {
        switch act {
        case .line(let line, let words):
            if words == "gone" { goneLines.insert(line) }
            add(.line(line))
        case .target: add(.targets)
        case .renumber(let line): add(.address(line))
        case .stranger(let box, let deed): if deed.undoing(on: box) != nil { add(.stranger(box, deed)) }
        case .order(let box, _): add(.orders(box))
        case .policy(let box, _): add(.policy(box))
        case .daemon(let box, .kill), .daemon(let box, .terminate):
            remove(.hang(box))
            add(.daemon(box))
        case .daemon(let box, .hang): add(.hang(box))
        case .daemon: break
        case .disk(let box, let disk): add(.disk(box, disk))
        case .helper(let box, _): add(.helpers(box))
        case .soracom: add(.soracom)
        case .keepalived(let box, .kill), .keepalived(let box, .stop): add(.keepalived(box))
        case .keepalived: break
        case .cable(let box, _): add(.cable(box))
        case .power(let box): add(.power(box))
        }
    }

    package mutating func heal(_ wound: ChaosWound) {
        remove(wound)
        if case .line(let line) = wound { goneLines.remove(line) }
    }

    // MARK: what is

    private func has(_ wound: ChaosWound) -> Bool { open.contains(wound) }
    private mutating func add(_ wound: ChaosWound) { if !has(wound) { open.append(wound) } }
    private mutating func remove(_ wound: ChaosWound) { open.removeAll { $0 == wound } }

    private func isPowered(_ box: ChaosBox) -> Bool { !has(.power(box)) }
    private func isPowered(_ line: LabUplink) -> Bool {
        !ChaosBox.allCases.contains { $0.has(line) && has(.power($0)) }
    }
    /// A daemon runs there and answers.
    private func listens(_ box: ChaosBox) -> Bool { isPowered(box) && !has(.daemon(box)) && !has(.hang(box)) }

    private func concerns(_ wound: ChaosWound, _ box: ChaosBox) -> Bool {
        switch wound {
        case .line(let line), .address(let line): box.has(line)
        case .targets, .soracom: false
        case .stranger(let other, _), .orders(let other), .policy(let other), .daemon(let other), .hang(let other),
            .disk(let other, _), .helpers(let other), .keepalived(let other), .cable(let other), .power(let other):
            other == box
        }
    }
}

extension ChaosWound: CustomStringConvertible {
    package var description: String {
        switch self {
        case .line(let line): "\(line.rawValue) works again"
        case .address(let line): "\(line.rawValue) has its first address again"
        case .targets: "all targets answer again"
        case .stranger(let box, let deed): "on \(box.rawValue): \(deed.undoing(on: box) ?? "")"
        case .orders(let box): "the operator of \(box.rawValue) takes the orders back"
        case .policy(let box): "\(box.rawValue) has its policy again"
        case .daemon(let box): "the daemon of \(box.rawValue) is started"
        case .hang(let box): "the daemon of \(box.rawValue) goes on"
        case .disk(let box, let disk): "\(disk.rawValue) of \(box.rawValue) has room again"
        case .helpers(let box): "recorder and courier of \(box.rawValue) run again"
        case .soracom: "SORACOM works again"
        case .keepalived(let box): "keepalived of \(box.rawValue) is started"
        case .cable(let box): "the LAN's cable of \(box.rawValue) is plugged"
        case .power(let box): "\(box.rawValue) has power again, and boots"
        }
    }
}
