package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// What makes a first wave.
const (
	waveScore = 3.0 // standard deviations by which the first wave must rank above the rest
	waveLeast = 3   // of it must lie above nearly all others
	waveRest  = 4   // of others there must be so many
)

// judgeStart holds the first wave of a closed loop, the first request of each
// user, against all others: where users start at once, or meet cold caches, it
// makes the tail of a run that would have none. Users who came from the warm-up
// make no first wave.
func (c *Collector) judgeStart(j *judge) {
	t, users := &c.profiling, c.facts.Load.Users
	if users == 0 {
		return
	}
	var first, rest []float64
	for s := range t.samples.all() {
		v := s.ttft
		if math.IsNaN(v) {
			if v = s.latency; t.dists[TTFT].count() > 0 || math.IsNaN(v) {
				continue
			}
		}
		if s.first {
			first = append(first, v)
		} else {
			rest = append(rest, v)
		}
	}
	if len(first) == 0 || len(rest) < waveRest {
		return // all users came from the warm-up, or sent nothing else
	}
	slices.Sort(rest)
	// Requests that follow each other are alike in any run: a first wave is more
	// than that if a quarter of it, and not one or two, lie above nearly all
	// others.
	nearly, above := Percentile(rest, 95), 0
	for _, v := range first {
		if v > nearly {
			above++
		}
	}
	if above < max(waveLeast, len(first)/4) {
		j.sign("start_burst", 0)
		return
	}
	all, without := Percentile(Sorted(slices.Concat(first, rest)), 99), Percentile(rest, 99)
	burst := 0.0
	if all-without > j.limits[NoiseFloor].Degraded && rankScore(first, rest) > waveScore {
		burst = 1 - without/all
	}
	j.sign("start_burst", burst)
	j.say("start_burst", fmt.Sprintf("the first request of each of the %d users makes p99 TTFT %.4g ms; without them it is %.4g", users, all, without))
}

// rankScore is the standardized rank sum of Wilcoxon and of Mann and Whitney, with
// the correction for ties: how many standard deviations the first values rank
// higher than values of the same kind would.
func rankScore(first, rest []float64) float64 {
	type ranked struct {
		v     float64
		first bool
	}
	var all []ranked
	for _, v := range first {
		all = append(all, ranked{v, true})
	}
	for _, v := range rest {
		all = append(all, ranked{v, false})
	}
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.v, b.v) })
	sum, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		k := i
		for k < len(all) && all[k].v == all[i].v {
			k++
		}
		n := float64(k - i)
		ties += n*n*n - n
		for _, r := range all[i:k] {
			if r.first {
				sum += float64(i) + (n+1)/2
			}
		}
		i = k
	}
	m, n := float64(len(first)), float64(len(rest))
	total := m + n
	deviation := math.Sqrt(m * n / 12 * (total + 1 - ties/(total*(total-1))))
	if deviation == 0 {
		return 0
	}
	return (sum - m*(total+1)/2) / deviation
}
