package metrics_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A loop is a closed loop of users against a server that reads one prompt after
// another and then writes each answer at a pace of its own: a model of an engine
// with batching, whose figures can be told by hand.
type loop struct {
	users    int
	prefill  time.Duration // of one prompt, while the others wait
	itl      time.Duration
	tokens   int           // of an answer
	spread   float64       // of its length, as a share: uniform
	long     float64       // share of answers ten times as long
	whole    bool          // replies are not streamed
	joint    bool          // all prompts that wait are read at once, in as long as one after another
	rest     time.Duration // of a user between two requests
	duration time.Duration
	together bool // all users start at once: at 0, after the warm-up has drained
	handed   bool // or ten rounds before, in the warm-up
	cold     bool // users start one after another over one latency, from 0 on
	still    [2]time.Duration
	seed     uint64
}

// records returns what the users send from 0 until the end, and what is in
// flight at 0 of what they sent before. Unless they start together, they started
// one after another over one latency, ten latencies before.
func (l loop) records() []*loadgen.Record {
	rng := rand.New(rand.NewPCG(l.seed, 1))
	type user struct {
		free  time.Duration
		first bool
	}
	round := l.prefill + time.Duration(l.tokens-1)*l.itl + l.rest
	before := 10 * max(round, time.Duration(l.users)*l.prefill)
	users := make([]user, l.users)
	for i := range users {
		apart := round * time.Duration(i) / time.Duration(l.users)
		switch users[i].first = true; {
		case l.together && l.handed:
			users[i].free = -before
		case l.together:
		case l.cold:
			users[i].free = apart
		default:
			users[i].free = apart - before
		}
	}
	idle := time.Duration(-1 << 60) // from when on the server can read the next prompt
	begun := idle                   // when it began to read the latest
	var records []*loadgen.Record
	index := 0
	for {
		i := 0
		for j := range users {
			if users[j].free < users[i].free {
				i = j
			}
		}
		sent := users[i].free
		if sent >= l.duration {
			break
		}
		if !l.joint {
			idle = max(idle, sent) + l.prefill
		} else if sent > begun {
			begun = max(idle, sent)
			idle = begun
			for _, u := range users {
				if u.free <= begun {
					idle += l.prefill
				}
			}
		}
		n := l.tokens
		if l.spread > 0 {
			n = max(2, int(float64(n)*(1+l.spread*(2*rng.Float64()-1))))
		}
		if l.long > 0 && rng.Float64() < l.long {
			n *= 10
		}
		at := make([]time.Duration, n)
		for k := range at {
			at[k] = l.stalled(idle+time.Duration(k)*l.itl) - sent
		}
		r := with(streamed(sent, at...), n)
		if l.whole {
			r.Streamed, r.Chunks, r.Reads = false, r.Chunks[n-1:], 1
		}
		r.Timing, r.Over = loadgen.Kernel, r.Took
		r.Request.InputTokens, r.Worker = 100, i
		users[i].free = r.Ended + l.rest
		switch {
		case sent >= 0:
			r.Index, r.First = index, users[i].first
			r.Ramp = l.cold && r.First && sent > 0
			index++
			records = append(records, r)
		case r.Ended > 0:
			r.Phase, r.Crossing = loadgen.Warmup, true
			records = append(records, r)
		}
		users[i].first = false
	}
	slices.SortStableFunc(records, func(a, b *loadgen.Record) int { return cmp.Compare(a.Ended, b.Ended) })
	return records
}

// stalled moves what would be written while the server stands still to when it
// goes on.
func (l loop) stalled(t time.Duration) time.Duration {
	if t >= l.still[0] && t < l.still[1] {
		return l.still[1]
	}
	return t
}

func (l loop) facts() metrics.Facts {
	return metrics.Facts{Load: loadgen.Load{Users: l.users}, Paused: l.rest > 0}
}

// outcome is that of a run whose requests in flight could all end.
func (l loop) outcome(records []*loadgen.Record) loadgen.Outcome {
	o := loadgen.Outcome{StoppedAt: l.duration, MaxFlight: l.users}
	for _, r := range records {
		if r.Crossing {
			o.Crossing++
		} else {
			o.Issued++
		}
		if r.First {
			o.FirstWave++
		}
		o.Elapsed = max(o.Elapsed, r.Ended)
	}
	return o
}
