package money

// Allocate splits total in proportion to weights. The parts sum to total
// exactly: every part is cut to whole units (towards zero) and what is left
// over, always fewer units than there are parts, goes to the first part that
// has a weight. This is the published rounding rule of instalments.
//
// A weight below zero counts as zero. When no weight is positive, the first
// part gets everything; without weights there are no parts and the result is
// nil.
func Allocate(total int64, weights []int64) []int64 {
	if len(weights) == 0 {
		return nil
	}
	scaled, sum := scale(weights)
	parts := make([]int64, len(weights))
	first, rest := -1, total
	for i, w := range scaled {
		if w == 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		// w ≤ sum, so the share is never larger than total: no overflow.
		parts[i], _ = MulDivDown(total, w, sum)
		rest -= parts[i]
	}
	parts[max(first, 0)] += rest
	return parts
}

// scale removes negative weights, and halves all of them until their sum fits
// into 64 bits: such weights lose precision, but no unit is ever lost.
func scale(weights []int64) ([]int64, int64) {
	scaled := make([]int64, len(weights))
	for i, w := range weights {
		scaled[i] = max(w, 0)
	}
	for {
		sum, err := Sum(scaled...)
		if err == nil {
			return scaled, sum
		}
		for i := range scaled {
			scaled[i] /= 2
		}
	}
}
