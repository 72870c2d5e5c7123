/// What a box is in its site: the only one, the one with the virtual address, or one that waits for it.
package enum BoxRole: String, Hashable, Sendable, CaseIterable { case alone, master, backup }
