package metrics

import (
	"fmt"
	"time"

	"loadgen"
)

// What makes a bunch.
const (
	bunchUsers  = 4                     // fewer meet by chance
	bunchSlices = 8                     // of a round
	bunchParts  = 10                    // of the run, at most, in most of which users must move together
	bunchLeast  = 80 * time.Millisecond // the round below which the machine's own clumps count
	bunchScore  = 3.5                   // times the variance of independent users
	bunchSpread = 1.2                   // p90 over p10 of TTFT from which on company matters
	bunchWaits  = 1.0 / 3               // share of the latency before the first token from which on it is held against that of others
)

// judgeBunching holds the sends of a closed loop against those of independent
// users. Users whose answers are of equal length stay together if they started
// together: each then waits for the prompts of all others. Rests of equal length
// between their requests change nothing about that.
func (c *Collector) judgeBunching(j *judge, o loadgen.Outcome) {
	t, users := &c.profiling, c.facts.Load.Users
	ttft := &t.dists[TTFT]
	if users < bunchUsers || ttft.count() < conclusiveCount || t.issued() > t.samples.len() {
		return
	}
	from, to := t.loaded(o)
	round := t.round(from, to, users)
	if round < bunchLeast || to-from < 2*round {
		return
	}
	first, latency := ttft.moments(), t.dists[RequestLatency].moments()
	crowd := 1.0
	switch {
	case first.mean() > bunchWaits*latency.mean():
		crowd = min(t.crowding(from, to, round, users), max(t.waiting(span{from, to}, users), 1))
	case ttft.percentile(90) > bunchSpread*ttft.percentile(10):
		crowd = t.crowding(from, to, round, users)
	}
	j.sign("bunching", crowd)
	j.say("bunching", fmt.Sprintf("users move together: a request meets %.3g times as many others as it would among independent users; TTFT is that of a crowd", crowd))
}

// round is the mean time from one request of a user to the next, rests included.
func (t *tally) round(from, to time.Duration, users int) time.Duration {
	n := 0
	for s := range t.samples.all() {
		if s.from >= from && s.from < to {
			n++
		}
	}
	return (to - from) * time.Duration(users) / time.Duration(max(n, 1))
}

// crowding returns how many others of its users are sent in the same eighth of a
// round as a request, over how many would be if they were independent: at least
// 1, and 1 where chance would do it. It is the lower quartile over the parts of
// the run: a pause of the server, behind which all go on together, is none.
func (t *tally) crowding(from, to, round time.Duration, users int) float64 {
	parts := int(min((to-from)/round, bunchParts))
	slice := round / bunchSlices
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
	return max(company(mean, variance, users)/share, 1)
}

// waiting returns how many others wait for their first token while a request
// does, over how many would if users were independent: below 1 where they take
// turns. Where most of a latency is such a wait, sends tell too little: users that
// are served a batch at a time come in batches, and wait no longer for it than
// others would.
func (t *tally) waiting(whole span, users int) float64 {
	var spans []span
	for _, l := range []*list[sample]{&t.samples, &t.crossing} {
		for s := range l.all() {
			if s, ok := s.part("effective_prefill_concurrency"); ok {
				spans = append(spans, span{max(s.from, whole.from), min(s.to, whole.to)})
			}
		}
	}
	level := concurrency(spans, whole)
	if level == nil {
		return 1
	}
	return company(level.Avg, level.Std*level.Std, users) / (level.Avg / float64(users))
}

// company is which share of the others one of the users meets who are counted,
// by the mean and the variance of how many there are: E[c(c−1)] / E[c] of them.
func company(mean, variance float64, users int) float64 {
	return (variance + mean*mean - mean) / mean / float64(users-1)
}
