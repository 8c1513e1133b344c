package load

import "time"

// Limits returns the CPUs that the control groups named in file, below root,
// grant, and for how much of a time they held back a process, given what
// happened in it.
func Limits(file, root string, wall time.Duration, happened func()) (quota float64, held time.Duration) {
	groups := groupsOf(file, root)
	before := limitsOf(groups)
	happened()
	return leastQuota(before), heldBack(before, limitsOf(groups), wall)
}
