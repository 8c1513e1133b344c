package analyze

import "math"

// KneeByPower returns the position of the knee of a sweep: the load at which
// throughput bought with latency is best, the largest throughput ÷ latency
// (Kleinrock's power). Both slices run over the same loads in ascending order;
// places where a number is missing or not positive are passed over.
//
// It is -1 where there is no knee to see: fewer than three usable points, or
// a power that is still rising at the highest load, so that the knee lies
// beyond what was tested.
func KneeByPower(throughput, latency []float64) int {
	best, last, usable := -1, -1, 0
	power := 0.0
	for i := range min(len(throughput), len(latency)) {
		p := throughput[i] / latency[i]
		if !(throughput[i] > 0 && latency[i] > 0) || math.IsInf(p, 0) {
			continue
		}
		usable, last = usable+1, i
		if p > power {
			power, best = p, i
		}
	}
	if usable < 3 || best == last {
		return -1
	}
	return best
}
