package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"loadgen"
)

// What makes a first wave, and what makes a bunch.
const (
	waveScore = 3.0 // standard deviations by which the first wave must rank above the rest
	waveLeast = 3   // of it must lie above nearly all others
	waveRest  = 4   // of others there must be so many

	bunchUsers   = 8                     // fewer meet by chance
	bunchSlices  = 8                     // of a mean latency
	bunchParts   = 10                    // of the run, at most, in each of which users must move together
	bunchLeast   = 80 * time.Millisecond // the mean latency below which the machine's own clumps count
	bunchScore   = 4.0                   // times the variance of independent users
	bunchSpread  = 1.2                   // p90 over p10 of TTFT from which on company matters
	bunchPrefill = 0.5                   // share of the latency before the first token up to which users could be apart
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
	all := Percentile(Sorted(slices.Concat(first, rest)), 99)
	without := Percentile(Sorted(rest), 99)
	burst := 0.0
	// Requests that follow each other are alike in any run: a first wave is more
	// than that if a quarter of it, and not one or two, lie above nearly all
	// others.
	nearly, above := Percentile(Sorted(rest), 95), 0
	for _, v := range first {
		if v > nearly {
			above++
		}
	}
	apart := above >= max(waveLeast, len(first)/4)
	if all-without > j.limits[NoiseFloor].Degraded && apart && rankScore(first, rest) > waveScore {
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

// judgeBunching holds the sends of a closed loop against those of independent
// users. Users whose answers are of equal length stay together if they started
// together: each then waits for the prompts of all others.
func (c *Collector) judgeBunching(j *judge, o loadgen.Outcome) {
	t, users := &c.profiling, c.facts.Load.Users
	ttft := &t.dists[TTFT]
	if users < bunchUsers || c.facts.Paused || ttft.count() < conclusiveCount || t.issued() > t.samples.len() {
		return
	}
	from, to := t.loaded(o)
	latencies, firsts := t.dists[RequestLatency].moments(), ttft.moments()
	latency := time.Duration(latencies.mean() * 1e6)
	if latency < bunchLeast || to-from < 2*latency || firsts.mean() > bunchPrefill*millis(latency) {
		return
	}
	crowd := 1.0
	if ttft.percentile(90) > bunchSpread*ttft.percentile(10) {
		crowd = t.crowding(from, to, latency, users)
	}
	j.sign("bunching", crowd)
	j.say("bunching", fmt.Sprintf("users move together: a request meets %.2g times as many others that are sent within an eighth of a latency as it would among independent users; TTFT is that of a crowd", crowd))
}

// crowding returns how many others of its users are sent in the same eighth of a
// latency as a request, over how many would be if they were independent: at
// least 1, and 1 where chance would do it. It is the lower quartile over the parts
// of the run: a pause of the server, behind which all go on together, is none.
func (t *tally) crowding(from, to, latency time.Duration, users int) float64 {
	parts := int(min((to-from)/latency, bunchParts))
	slice := latency / bunchSlices
	per := int((to - from) / slice / time.Duration(parts)) // slices of a part
	counts := make([]float64, parts*per)
	for s := range t.samples.all() {
		if i := int((s.from - from) / slice); s.from >= from && i < len(counts) {
			counts[i]++
		}
	}
	crowds := make([]float64, parts)
	for i := range crowds {
		crowds[i] = crowdOf(counts[i*per:(i+1)*per], users)
	}
	return Percentile(Sorted(crowds), 25)
}

// crowdOf compares the variance of counts with that of independent users, each of
// whom sends once per bunchSlices slices.
func crowdOf(counts []float64, users int) float64 {
	const share = 1.0 / bunchSlices
	mean := Mean(counts)
	variance := squares(counts) / float64(len(counts)-1)
	if mean == 0 || variance < bunchScore*mean*(1-share) {
		return 1
	}
	// Of others in a slice: E[c(c−1)] / E[c] against those of independent users.
	met := (variance + mean*mean - mean) / mean
	return max(met/(float64(users-1)*share), 1)
}
