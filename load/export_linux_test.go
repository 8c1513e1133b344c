package load

import "time"

// CgroupOf returns what the control group named in file, below root, grants and
// has held back.
func CgroupOf(file, root string) (quota float64, throttled time.Duration) {
	g := cgroupOf(file, root)
	return g.quota(), g.throttled()
}
