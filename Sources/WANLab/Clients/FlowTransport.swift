/// What a flow of the lab's clients runs over.
package enum FlowTransport: String, Hashable, Sendable, CaseIterable { case tcp, udp }
