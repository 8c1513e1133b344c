package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"loadgen"
)

// What makes a stall of a silence, in which requests waited and nothing came from
// the endpoint.
const (
	shortestStall  = 250 * time.Millisecond // a busy machine keeps a process waiting for less
	stallTail      = 3                      // times as long as what else requests waited
	stallUsers     = 4                      // so many do not wait together by chance
	mostSilences   = 64                     // that are held
	stalledAtMost  = 0.01                   // of the requests, where users are fewer: beyond, the p99 shows it
	stallsFromSize = conclusiveCount        // successes that say what else requests waited
)

// A Stalls says when an endpoint stood still while users waited. A closed loop
// sees each stall once per user, however long it is: its percentiles leave out
// what a schedule would have sent meanwhile.
type Stalls struct {
	Count int `json:"count"`
	// Seconds is their sum, From and To the longest, since the run's epoch.
	Seconds float64 `json:"total_sec"`
	From    float64 `json:"longest_from_sec"`
	To      float64 `json:"longest_to_sec"`
	// LatencyP99 and TTFTP99 estimate, in milliseconds, what requests of the same
	// rate by a schedule would have seen: wrk2's correction for coordinated
	// omission. TTFTP99 is nil where replies were not streamed.
	LatencyP99 float64  `json:"request_latency_p99_estimate_ms"`
	TTFTP99    *float64 `json:"time_to_first_token_p99_estimate_ms,omitempty"`
}

// silences finds the stretches in which requests waited and none succeeded.
type silences struct {
	last    time.Duration // success
	failing bool          // requests have failed since
	open    span          // then the silence so far
	longest []span        // those that are over, longest first
}

// add takes in a request in the order of their ends.
func (s *silences) add(r *loadgen.Record) {
	quiet := span{max(s.last, r.Sent, 0), r.Ended}
	if r.OK() {
		quiet.to = r.Sent + r.Took // not when a late reader saw it
	}
	waited := quiet.to - quiet.from
	if s.failing {
		quiet.from = min(quiet.from, s.open.from)
	}
	switch {
	case waited <= 0:
	case !r.OK() && waited < shortestStall: // a refusal is an answer
	case !r.OK():
		s.open, s.failing = span{quiet.from, max(quiet.to, s.open.to)}, true
		return
	case quiet.to-quiet.from >= shortestStall:
		s.keep(withoutOutput(r, quiet))
	}
	if r.OK() {
		s.last, s.failing, s.open = max(s.last, quiet.to), false, span{}
	}
}

// withoutOutput returns the longest part of a silence in which the request that
// ended it saw no chunk either.
func withoutOutput(r *loadgen.Record, quiet span) span {
	if !r.Streamed {
		return quiet
	}
	longest, from := span{}, quiet.from
	for _, c := range r.Chunks {
		at := r.Sent + c.At
		if at <= from {
			continue
		}
		if at-from > longest.to-longest.from {
			longest = span{from, at}
		}
		from = at
	}
	return longest
}

func (s *silences) keep(quiet span) {
	if quiet.to-quiet.from < shortestStall {
		return
	}
	i, _ := slices.BinarySearchFunc(s.longest, quiet, longer)
	s.longest = slices.Insert(s.longest, i, quiet)
	s.longest = s.longest[:min(len(s.longest), mostSilences)]
}

func longer(a, b span) int { return cmp.Compare(b.to-b.from, a.to-a.from) }

// stalls returns the silences of a closed loop that what else its requests waited
// does not explain; nil for none.
func (t *tally) stalls(users int, o loadgen.Outcome) *Stalls {
	if users == 0 || t.ok < stallsFromSize {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(t.silences.longest), t.heard)
	if t.silences.failing {
		if end := (span{t.silences.open.from, min(t.silences.open.to, t.until(o))}); end.to-end.from >= shortestStall && !t.heard(end) {
			all = append(all, end)
		}
	}
	slices.SortFunc(all, longer)
	n := 0
	for k := 1; k <= len(all); k++ {
		if quiet := all[k-1]; (quiet.to-quiet.from).Seconds()*1e3 > stallTail*t.ordinary(k*users) && t.together(all[:k], users) {
			n = k
		}
	}
	if n == 0 {
		return nil
	}
	found := &Stalls{Count: n, From: all[0].from.Seconds(), To: all[0].to.Seconds()}
	for _, quiet := range all[:n] {
		found.Seconds += (quiet.to - quiet.from).Seconds()
	}
	t.estimate(found, users, o)
	return found
}

// heard reports whether output of any successful request came in a silence, as
// far as the slices of time can tell.
func (t *tally) heard(quiet span) bool {
	width := t.series.width
	from, to := quiet.from/width+1, quiet.to/width
	return to > from && t.series.sum(int(from), int(to)).tokens+t.handed.sum(int(from), int(to)).tokens > 0
}

// ordinary is the most, in milliseconds, that requests waited for something to
// come when the longest so many waits are left out.
func (t *tally) ordinary(without int) float64 {
	below := func(d *distribution) float64 {
		n := d.count()
		if n == 0 {
			return 0
		}
		rank := max(n-int64(without), (n+1)/2)
		return d.percentile(100 * float64(rank-1) / float64(max(n-1, 1)))
	}
	if t.dists[TTFT].count() == 0 {
		return below(&t.dists[RequestLatency])
	}
	return max(below(&t.dists[TTFT]), below(&t.gaps))
}

// together reports whether silences are more than a single user's slow request:
// enough users waited, or it is rare, or it ended in failure.
func (t *tally) together(quiet []span, users int) bool {
	switch {
	case users >= stallUsers, quiet[0].from == t.silences.open.from && t.silences.failing:
		return true
	case t.dists[TTFT].count() == 0:
		return false // one long answer among short ones looks the same
	}
	return float64(len(quiet)*users) <= stalledAtMost*float64(t.ok)
}

// estimate sets the percentiles that a schedule would have seen. The users' own
// rate is the schedule's: each sends one request in a mean time of its own.
func (t *tally) estimate(s *Stalls, users int, o loadgen.Outcome) {
	from, to := t.begun(), t.until(o)
	interval := millis(to-from) * float64(users) / float64(t.ok)
	hung := 0.0 // what each user waits at the end, and no success tells
	if end := t.silences.open; t.silences.failing {
		hung = millis(min(end.to, to) - end.from)
	}
	s.LatencyP99 = t.dists[RequestLatency].corrected(interval, hung, users)
	if d := &t.dists[TTFT]; d.count() > 0 {
		v := d.corrected(interval, hung, users)
		s.TTFTP99 = &v
	}
}

// corrected returns the p99 of the values, and of so many more of one value, with
// HdrHistogram's correction for coordinated omission: a value above the expected
// interval between two stands for all that would have been sent meanwhile.
func (d *distribution) corrected(interval, more float64, times int) float64 {
	h := newHistogram()
	expected := max(int64(interval*ticksPerUnit), 1)
	add := func(v float64, n int64) {
		for ticks := int64(min(v*ticksPerUnit, float64(maxTick))); ; ticks -= expected {
			_ = h.RecordValues(max(ticks, 1), n)
			if ticks < 2*expected {
				return
			}
		}
	}
	if d.isExact() {
		for _, v := range d.values() {
			add(v, 1)
		}
	} else {
		d.settle()
		for _, bar := range d.rest.pos.Distribution() {
			if bar.Count > 0 {
				add(float64(bar.To)/ticksPerUnit, bar.Count)
			}
		}
	}
	if more > 0 {
		add(more, int64(times))
	}
	return float64(h.ValueAtPercentile(99)) / ticksPerUnit
}

// judgeStalls holds the time in which an endpoint stood still against the time
// under load.
func (c *Collector) judgeStalls(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	length := (t.until(o) - t.begun()).Seconds()
	if c.facts.Load.Users == 0 || length <= 0 {
		return
	}
	if s.Stalls == nil {
		j.sign("stall", 0)
		return
	}
	text := s.Stalls.text()
	j.sign("stall", math.Min(s.Stalls.Seconds/length, 1))
	if j.signs["stall"].Verdict == Valid {
		j.note("%s", text)
	}
	j.say("stall", text)
}

func (s *Stalls) text() string {
	text := fmt.Sprintf("nothing came from the endpoint for %.3g s from %.3g s on, while users waited", s.To-s.From, s.From)
	if s.Count > 1 {
		text = fmt.Sprintf("nothing came from the endpoint %d times while users waited, for %.3g s in all, the longest %.3g s from %.3g s on", s.Count, s.Seconds, s.To-s.From, s.From)
	}
	return text + fmt.Sprintf("; a schedule of the same rate would have seen a p99 latency of about %.4g ms (wrk2's correction: an estimate)", s.LatencyP99)
}
