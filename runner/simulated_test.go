package runner_test

import (
	"container/heap"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/sweep"
)

// A simulation is the timetable of docs/mock.md driven by the loads of
// docs/batch-file.md, event after event: what the whole program does in virtual
// time, at a hundredth of the cost. TestTheSimulationIsTheProgram in runner holds
// the two against each other.
type simulation struct {
	mock     mockllm.Config
	cell     *sweep.Cell
	rng      *rand.Rand
	now      time.Duration
	end      time.Duration // of the step; 0 for none
	waiting  []*simulated
	running  []*simulated
	due      arrivals
	latest   time.Duration // latency
	started  int           // users
	startAt  time.Duration // when the last of them did
	gate     time.Duration
	passed   int
	issued   int
	tokens   float64 // of the quota
	filled   time.Duration
	prefixes []int // in the cache, the oldest first
	emit     func(*loadgen.Record)
	pause    map[int]int // failures in a row, by user
}

// A simulated request.
type simulated struct {
	rec          loadgen.Record
	user         int
	prompt, want int
	prefix       int // of the pool, from 1
	left, piece  int // prompt tokens to compute, and in this step
	fresh        bool
	made         int
	decoding     bool
	first        time.Duration
	ramp         bool
}

// An arrival is a request that is due.
type arrival struct {
	at   time.Duration
	user int
	join bool // the user starts
}

type arrivals []arrival

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return a[i].at < a[j].at }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)        { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// simulate makes the run of an ask.
func simulate(t *testing.T, b *sweep.Batch, ask sweep.Ask) *sweep.Run {
	t.Helper()
	cell := ask.Cell
	seed := ask.Seed(b.VarySeed)
	facts := metrics.Facts{Load: cell.Pacing.Load(), Paused: cell.Pacing.Mode == loadgen.UserPaced, SLOs: cell.Config.SLOs, Sought: cell.Probe.Sought()}
	collector, err := metrics.NewCollector(facts)
	if err != nil {
		t.Fatal(err)
	}
	counts := metrics.Counts{}
	s := &simulation{mock: b.Mock, cell: cell, rng: seed.Rand("simulated"), pause: map[int]int{}, emit: func(r *loadgen.Record) {
		collector.Add(r)
		if counts.Issued++; r.OK() {
			counts.OK++
		}
	}}
	looks := 0
	end := s.run(seed, func() bool { looks++; return cell.Probe.Sure(looks-1, collector.Margins(false), collector.Queue()) })
	run := &sweep.Run{Ask: ask, Facts: facts, Margins: collector.Margins(true), Queue: collector.Queue(), Summary: &metrics.Summary{Counts: counts}}
	run.Outcome.Elapsed = end
	return run
}

// run drives the load until the last look, or until one is enough, and returns
// when the last answer came.
func (s *simulation) run(seed loadgen.Seed, enough func() bool) time.Duration {
	p := s.cell.Pacing
	next, stop := s.schedule(seed)
	defer stop()
	looks := slices.Clone(s.cell.Probe.Looks)
	last := looks[len(looks)-1]
	ended := time.Duration(math.MaxInt64)
	if p.Mode == loadgen.OpenLoop {
		heap.Push(&s.due, arrival{at: next()})
	} else {
		heap.Push(&s.due, arrival{join: true})
	}
	for {
		at, step := s.end, true
		if s.end == 0 {
			at, step = math.MaxInt64, false
		}
		if len(s.due) > 0 && s.due[0].at < at {
			at, step = s.due[0].at, false
		}
		for len(looks) > 1 && ended > last && looks[0] <= at {
			s.now = looks[0]
			if looks = looks[1:]; enough() {
				ended = s.now
			}
		}
		over := min(ended, last)
		switch {
		case at == math.MaxInt64, at > over+s.cell.Config.GracePeriod:
			return s.now
		case step:
			s.now = at
			s.finish()
			s.begin()
			continue
		}
		due := heap.Pop(&s.due).(arrival)
		if s.now = max(s.now, at); at >= over {
			continue
		}
		if p.Mode == loadgen.OpenLoop {
			heap.Push(&s.due, arrival{at: next()})
		} else if due = s.place(due); due.at > at {
			heap.Push(&s.due, due)
			continue
		}
		s.send(due)
	}
}

// schedule gives the times of an open loop.
func (s *simulation) schedule(seed loadgen.Seed) (next func() time.Duration, stop func()) {
	p := s.cell.Pacing
	if p.Mode != loadgen.OpenLoop {
		return nil, func() {}
	}
	pull, stop := iter.Pull(load.Arrival{Rate: p.Rate, Smoothness: p.Smoothness, Rand: func() *rand.Rand { return seed.Rand("arrivals") }}.Schedule())
	return func() time.Duration { at, _ := pull(); return at }, stop
}

// place starts the next user behind one that has, and keeps users apart in their
// first round, as package load does.
func (s *simulation) place(a arrival) arrival {
	p := s.cell.Pacing
	n := max(p.Concurrency, p.Users)
	if a.join {
		s.started, s.startAt = s.started+1, a.at
		if s.started < n {
			heap.Push(&s.due, arrival{at: a.at + s.gap(n), user: s.started, join: true})
		}
		a.join = false
		if p.Mode == loadgen.UserPaced || s.started < n {
			return a
		}
	}
	if p.Mode == loadgen.UserPaced || s.started < n || s.passed >= n || s.placed(a.user) {
		return a
	}
	s.passed++
	s.pause[-1-a.user] = 1
	a.at = max(a.at, s.gate)
	s.gate = a.at + s.latest*9/10/time.Duration(n)
	return a
}

func (s *simulation) placed(user int) bool { return s.pause[-1-user] > 0 }

// gap is the time to the start of the next user.
func (s *simulation) gap(n int) time.Duration {
	switch p := s.cell.Pacing; {
	case p.Mode == loadgen.UserPaced:
		return p.UserGap / time.Duration(n)
	case s.latest > 0:
		return 2 * s.latest / time.Duration(n)
	}
	return 30 * time.Second / time.Duration(n)
}

// hasten starts the next user by the first latency, and no longer by a guess.
func (s *simulation) hasten(latency time.Duration) {
	p := s.cell.Pacing
	for i, a := range s.due {
		if a.join && p.UserGap == 0 {
			s.due[i].at = s.now + 2*latency/time.Duration(p.Concurrency)
			heap.Fix(&s.due, i)
			return
		}
	}
}

// send sends a request, which the quota may refuse.
func (s *simulation) send(a arrival) {
	c := &s.cell.Config
	q := &simulated{user: a.user, fresh: true}
	q.ramp = s.cell.Pacing.Mode == loadgen.ClosedLoop && s.cell.Pacing.Concurrency > 1 && s.started < s.cell.Pacing.Concurrency
	q.rec = loadgen.Record{
		Phase: loadgen.Profiling, Index: s.issued, Due: a.at, Sent: a.at, Streamed: true, Ramp: q.ramp, Worker: a.user,
		ReasoningTokens: -1, Usage: loadgen.Usage{PromptTokens: -1, CompletionTokens: -1, ReasoningTokens: -1, CachedTokens: -1},
	}
	s.issued++
	q.prompt = s.draw(c.PromptInputTokensMean, c.PromptInputTokensStddev)
	q.want = s.draw(c.PromptOutputTokensMean, c.PromptOutputTokensStddev)
	if c.NumPrefixPrompts > 0 {
		q.prefix = 1 + s.rng.IntN(c.NumPrefixPrompts)
		q.prompt += c.PrefixPromptLength
	}
	if !s.allowed() {
		q.rec.Ended, q.rec.Failure = s.now, &loadgen.Failure{Kind: loadgen.FailRateLimited}
		s.emit(&q.rec)
		s.again(q, false)
		return
	}
	s.waiting = append(s.waiting, q)
	if s.end == 0 {
		s.begin()
	}
}

func (s *simulation) draw(mean, sd float64) int {
	return max(1, int(math.Round(mean+sd*s.rng.NormFloat64())))
}

// allowed asks the quota.
func (s *simulation) allowed() bool {
	if s.mock.RequestsPerSecond == 0 {
		return true
	}
	burst := float64(max(1, s.mock.Burst))
	if s.filled == 0 {
		s.tokens = burst
	}
	s.tokens = min(burst, s.tokens+(s.now-s.filled).Seconds()*s.mock.RequestsPerSecond)
	s.filled = max(s.now, 1)
	if s.tokens < 1-1e-9 {
		return false
	}
	s.tokens--
	return true
}

// again lets the user of a closed loop send the next request: after a failure
// later each time.
func (s *simulation) again(q *simulated, ok bool) {
	p := s.cell.Pacing
	if p.Mode == loadgen.OpenLoop {
		return
	}
	at := s.now
	if p.Mode == loadgen.UserPaced {
		at = max(at, q.rec.Due+p.UserGap)
	}
	s.pause[q.user]++
	if ok {
		s.pause[q.user] = 0
	} else {
		at += min(time.Duration(50*math.Pow(2, float64(s.pause[q.user]-1))*(0.5+s.rng.Float64()/2))*time.Millisecond, 5*time.Second)
	}
	heap.Push(&s.due, arrival{at: at, user: q.user})
}

// begin starts a step where there is anything to do.
func (s *simulation) begin() {
	for len(s.waiting) > 0 && (s.mock.MaxNumSeqs == 0 || len(s.running) < s.mock.MaxNumSeqs) {
		q := s.waiting[0]
		s.waiting = s.waiting[1:]
		q.left = q.prompt - min(s.held(q.prefix), (q.prompt-1)/16*16)
		s.running = append(s.running, q)
	}
	if s.end = 0; len(s.running) == 0 {
		return
	}
	m := &s.mock
	budget := m.PrefillChunk
	if budget == 0 {
		budget = math.MaxInt
	}
	var took time.Duration
	decoding := false
	for _, q := range s.running {
		q.piece, q.decoding = 0, q.made > 0
		if q.decoding {
			decoding = true
			took += m.DecodePerSeq
		} else if budget > 0 {
			if q.fresh {
				took += m.PrefillBase
				q.fresh = false
			}
			q.piece = min(q.left, budget)
			budget -= q.piece
			took += time.Duration(q.piece) * m.PrefillPerToken
		}
	}
	if decoding {
		took += m.DecodeBase
	}
	if m.Jitter > 0 {
		sigma := math.Sqrt(math.Log1p(m.Jitter * m.Jitter))
		took = time.Duration(float64(took) * math.Exp(sigma*s.rng.NormFloat64()-sigma*sigma/2))
	}
	s.end = s.now + max(took, 1)
}

// held is how many tokens of a prefix the cache has.
func (s *simulation) held(prefix int) int {
	if prefix == 0 || !slices.Contains(s.prefixes, prefix) {
		return 0
	}
	return s.cell.Config.PrefixPromptLength / 16 * 16
}

// keep puts a prefix into the cache, from which the one falls that was used
// longest ago.
func (s *simulation) keep(prefix int) {
	if prefix == 0 || s.mock.KVCacheTokens == 0 {
		return
	}
	s.prefixes = append(slices.DeleteFunc(s.prefixes, func(p int) bool { return p == prefix }), prefix)
	if len(s.prefixes)*s.cell.Config.PrefixPromptLength > s.mock.KVCacheTokens {
		s.prefixes = s.prefixes[1:]
	}
}

// finish makes the tokens of the step that ends.
func (s *simulation) finish() {
	left := s.running[:0]
	for _, q := range s.running {
		if !q.decoding {
			q.left -= q.piece
			if q.left > 0 {
				left = append(left, q)
				continue
			}
			s.keep(q.prefix)
			q.first = s.now
		}
		if q.made++; q.made < q.want {
			left = append(left, q)
			continue
		}
		r := &q.rec
		r.Ended, r.Took, r.OutputTokens = s.now, s.now-r.Sent, q.want
		r.Over = r.Took
		r.Chunks = []loadgen.Chunk{{At: q.first - r.Sent, Kind: loadgen.Content}}
		if q.want > 1 {
			r.Chunks = append(r.Chunks, loadgen.Chunk{At: r.Took, Kind: loadgen.Content})
		}
		if s.latest == 0 {
			s.hasten(r.Took)
		}
		s.latest = r.Took
		s.emit(r)
		s.again(q, true)
	}
	s.running = left
}
