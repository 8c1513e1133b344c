package metrics_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// length is how long a loop runs to last so many latencies, of an answer or of a
// round of prompts, whichever is longer.
func (l loop) length(latencies int) time.Duration {
	return time.Duration(latencies) * max(l.prefill+time.Duration(l.tokens)*l.itl, time.Duration(l.users)*l.prefill)
}

var share = flag.Float64("loops", 0.3, "share of the healthy closed loops that is tried")

// Closed loops that nothing is wrong with: from a user to 64, prompts that take
// no time to half of it, equal and unequal answers, some ten times as long, short
// and long runs, users from a warm-up and users that start one after another.
func TestNoSignFiresOnAHealthyClosedLoop(t *testing.T) {
	n, drawn := -1, rand.New(rand.NewPCG(1, 0))
	for _, users := range []int{1, 2, 4, 8, 16, 64} {
		for _, prefill := range []time.Duration{0, 5 * ms, 40 * ms} {
			for _, tokens := range []int{3, 30} {
				for _, shape := range []loop{{}, {spread: 0.2}, {spread: 0.9}, {spread: 0.5, long: 0.02}, {spread: 0.5, whole: true}} {
					for _, latencies := range []int{3, 10, 30} {
						for _, cold := range []bool{false, true} {
							n++
							if drawn.Float64() >= *share {
								continue
							}
							l := shape
							l.users, l.prefill, l.tokens, l.itl, l.cold, l.seed = users, prefill, tokens, 20*ms, cold, uint64(n)
							l.duration = l.length(latencies)
							if v := run(t, l).Validity; v.Verdict != metrics.Valid {
								t.Errorf("%+v: %s", l, v.Reasons[0].Text)
							}
						}
					}
				}
			}
		}
	}
}

// arrivals are those of an open loop at a server of so many places, which serves
// each for an exponential time.
func arrivals(rate, seconds float64, places int, service time.Duration, poisson bool, seed uint64) []*loadgen.Record {
	rng := rand.New(rand.NewPCG(seed, 2))
	free := make([]time.Duration, places)
	var records []*loadgen.Record
	for at, i := 0.0, 0; ; i++ {
		if gap := 1 / rate; poisson {
			at += rng.ExpFloat64() * gap
		} else {
			at = float64(i) * gap
		}
		sent := time.Duration(at * 1e9)
		if at >= seconds {
			break
		}
		p := 0
		for k := range free {
			if free[k] < free[p] {
				p = k
			}
		}
		begins := max(free[p], sent)
		took := time.Duration(rng.ExpFloat64() * float64(service))
		free[p] = begins + took
		r := with(streamed(sent, begins-sent+took/4, begins-sent+took/2, begins-sent+took), 3)
		r.Timing, r.Over = loadgen.Kernel, r.Took
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(a, b *loadgen.Record) int { return int(a.Ended - b.Ended) })
	return records
}

func TestNoSignFiresOnAHealthyOpenLoop(t *testing.T) {
	for _, rate := range []float64{0.2, 3, 50} {
		for _, seconds := range []float64{5, 60} {
			for _, load := range []float64{0.1, 0.7} {
				for _, poisson := range []bool{false, true} {
					for seed := range uint64(3) {
						const places = 4
						service := time.Duration(load * places / rate * 1e9)
						records := arrivals(rate, seconds, places, service, poisson, seed)
						if len(records) == 0 {
							continue
						}
						facts := metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: rate}}
						o := loadgen.Outcome{StoppedAt: time.Duration(seconds * 1e9), Sessions: len(records)}
						if v := judged(t, facts, o, healthy(), loadgen.Transport{}, records...).Validity; v.Verdict != metrics.Valid {
							t.Errorf("%g/s for %g s at a load of %g, Poisson %t: %s", rate, seconds, load, poisson, v.Reasons[0].Text)
						}
					}
				}
			}
		}
	}
}

// 64 users, prompts that take 55 ms each, answers of 30 ms a token. Started
// together they wait for each other's prompts: 64 · 55 ms = 3,520 ms for the last
// of the first wave, when the first answers of 200 tokens are not over yet. Their
// p99 is that wave's, and they stay together. Users who come staggered from the
// warm-up wait for nobody: one is due every 94 ms.
func TestUsersWhoStartTogetherAreTold(t *testing.T) {
	l := loop{users: 64, prefill: 55 * ms, itl: 30 * ms, tokens: 200, duration: 60 * time.Second}
	for _, row := range []struct {
		name           string
		together, cold bool
		spread         float64
		p99            float64
		reasons        []string
	}{
		{name: "together, after a warm-up that drained", together: true, p99: 3_000, reasons: []string{"start_burst"}},
		{name: "together, answers of unequal length", together: true, spread: 0.3, p99: 3_000, reasons: []string{"start_burst"}},
		{name: "staggered, without a warm-up", cold: true, p99: 55},
		{name: "staggered, from the warm-up", p99: 55},
	} {
		l.together, l.cold, l.spread = row.together, row.cold, row.spread
		s := run(t, l)
		p99 := s.Metric("time_to_first_token").Stats.P99
		if got := names(s.Validity.Reasons); !slices.Equal(got, row.reasons) || row.p99 == 55 && !near(p99, 55) || p99 < row.p99 {
			t.Errorf("%s: p99 TTFT %.4g ms, reasons %v; want %g and %v", row.name, p99, got, row.p99, row.reasons)
		}
	}
}

// Sixteen users whose prompts take 10 ms: 160 ms of 6 s in which all of them are
// sent, and none in the rest. A crowd of all in one of eight slices has a sample
// variance of 32 for its mean of 2: (32 + 2² − 2) / 2 = 17 others, where 15/8 of
// independent users would be, are 9.07 times as many, and less by as much as it
// reaches over an edge. So it is where they rest for 2 s.
//
// Where a server reads all prompts that wait at once, all of them wait equally
// long, and how long one would alone no figure tells. Of 410 ms each they wait for
// 6,560 ms of a round of 12,530, and nobody does in the rest: all the others meet a
// request that waits, where 6,560/12,530 = 0.52 of them would, 1.91 times as many.
// Of 10 ms each the wait is a fortieth of the latency, as that of a server for
// whom company changes nothing may be.
func TestUsersWhoMoveTogetherAreTold(t *testing.T) {
	usual := loop{users: 16, prefill: 10 * ms, itl: 30 * ms, tokens: 200, duration: 40 * time.Second}
	for _, row := range []struct {
		name        string
		of          func(*loop)
		least, most float64
	}{
		{"together", func(l *loop) { l.together = true }, 4, 9.07},
		{"together, answers of nearly equal length", func(l *loop) { l.together, l.spread = true, 0.02 }, 3, 9.07},
		{"staggered", func(*loop) {}, 1, 1},
		{"together, but lengths take them apart", func(l *loop) { l.together, l.spread = true, 0.9 }, 1, 1},
		{"too few to tell from chance", func(l *loop) { l.together, l.users = true, 3 }, 0, 0},
		{"together, with rests", func(l *loop) { l.together, l.rest, l.spread = true, 2*time.Second, 0.02 }, 3, 9.07},
		{"staggered, with rests", func(l *loop) { l.rest, l.spread = 2*time.Second, 0.02 }, 1, 1},
		{"together in the warm-up, read at once", func(l *loop) {
			l.together, l.handed, l.joint, l.prefill, l.duration = true, true, true, 410*ms, 125300*ms
		}, 1.9, 1.92},
		{"staggered, read at once", func(l *loop) { l.joint, l.prefill, l.duration = true, 100*ms, 120*time.Second }, 1, 1},
		{"together, and nobody can tell whether it matters", func(l *loop) { l.together, l.joint = true, true }, 1, 1},
	} {
		l := usual
		row.of(&l)
		s := run(t, l)
		crowd := 0.0
		for _, sign := range s.Validity.Signs {
			if sign.Name == "bunching" {
				crowd = sign.Value
			}
		}
		if has(s.Validity, "bunching") != (row.most > 1) || crowd < row.least || crowd > row.most {
			t.Errorf("%s: crowds of %.3f, reasons %v; want %g to %g", row.name, crowd, names(s.Validity.Reasons), row.least, row.most)
		}
	}
}

// Thirty-two users at a server that serves half of them at a time, for a second
// each: they come in batches, and wait for a second of two. A batch comes at once,
// but at any moment sixteen wait: no more than of users who know nothing of each
// other.
func TestUsersWhoAreServedInBatchesAreNoBunch(t *testing.T) {
	var records []*loadgen.Record
	for second := range 60 {
		for i := range 16 {
			r := with(streamed(time.Duration(second)*time.Second, time.Second, 2*time.Second), 2)
			r.Timing, r.Over, r.Index = loadgen.Kernel, r.Took, len(records)
			r.Worker = second%2*16 + i
			records = append(records, r)
		}
	}
	facts := metrics.Facts{Load: loadgen.Load{Users: 32}}
	o := loadgen.Outcome{StoppedAt: 60 * time.Second, Issued: len(records), MaxFlight: 32}
	if v := judged(t, facts, o, healthy(), loadgen.Transport{}, records...).Validity; has(v, "bunching") {
		t.Errorf("%s", v.Reasons[0].Text)
	}
}
