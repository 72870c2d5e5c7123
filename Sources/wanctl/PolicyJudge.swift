/// The only place that knows WANPolicy. `nil` until it is wired; then `wanctl check` is offered.
let policyJudge: PolicyJudge? = nil
