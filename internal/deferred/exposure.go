package deferred

// Exposure is the part of the buyer's credit limit that a deferred payment has in
// use, in minor units: what is captured under protection, and what is still
// authorised and would be. Payments that were not accepted, and will not be, use
// nothing.
func (s State) Exposure() int64 {
	if s.Status == StatusRejected {
		return 0
	}
	room := max(0, s.ProtectedAmount-s.ProtectedCaptures)
	return s.ProtectedCaptures + min(max(0, s.Authorisation), room)
}
