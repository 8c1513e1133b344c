package fleet

import (
	"cmp"
	"context"
	"slices"
	"time"

	"loadgen"
	"loadgen/runner"
)

// gathered joins what the workers say of the run.
func (m *making) gathered(stopping context.Context) runner.Gathered {
	var g runner.Gathered
	o := &g.Outcome
	health := healths{apart: m.Spawn == nil}
	for _, h := range m.crew {
		w := m.worker(h)
		o.Workers = append(o.Workers, w)
		o.Issued += w.Issued
		begun := h.begun
		if h.done != nil {
			m.join(&g, h.done)
			health.add(h.done.Health, m.members[h.index].Host)
			begun = max(begun, h.done.Outcome.Sessions)
		}
		g.Sessions = append(g.Sessions, begun)
		o.Sessions = max(o.Sessions, begun)
	}
	o.StoppedAt = m.fell()
	if !m.measured.IsZero() {
		o.Epoch = m.measured.UnixNano()
	}
	o.Cut = m.cut
	o.Cancelled = m.cut == "" && (o.Cancelled || stopping.Err() != nil && !m.whole())
	g.Health, g.FreeSlots = health.joined(), m.slots.free()
	return g
}

// whole reports whether all workers have made what they were to make.
func (m *making) whole() bool {
	for _, h := range m.crew {
		if h.done == nil || h.done.Outcome.Cancelled {
			return false
		}
	}
	return true
}

// fell is when the load became less: when the first worker had no more to send,
// where others do not send in its place. Requests of a schedule are due whoever
// sends them: there it is when one ended behind the last of all, or time was up.
func (m *making) fell() time.Duration {
	at, last := time.Duration(-1), time.Duration(0)
	for _, h := range m.crew {
		switch {
		case h.gone != "":
			at = earlier(at, h.at)
		case h.done != nil && h.done.Outcome.Issued > 0:
			last = max(last, h.done.Outcome.StoppedAt)
			if !m.order.Scheduled {
				at = earlier(at, h.done.Outcome.StoppedAt)
			}
		}
	}
	if m.order.Scheduled {
		for _, end := range m.ends {
			if end >= m.last {
				last = min(last, end)
			}
		}
		at = earlier(at, last)
	}
	return max(at, 0)
}

func earlier(a, b time.Duration) time.Duration {
	if a < 0 {
		return b
	}
	return min(a, b)
}

// join adds what one worker says to what others said.
func (m *making) join(g *runner.Gathered, r *result) {
	o, of := &g.Outcome, r.Outcome
	o.Elapsed = max(o.Elapsed, of.Elapsed)
	o.Cancelled = o.Cancelled || of.Cancelled
	o.MaxFlight += of.MaxFlight
	o.Crossing += of.Crossing
	o.FirstWave += of.FirstWave
	o.Missed += of.Missed
	t, other := &g.Transport, r.Transport
	t.Engine, t.Protocol, t.TLS = other.Engine, other.Protocol, other.TLS
	if t.Timing == "" || t.Timing == other.Timing {
		t.Timing = other.Timing
	} else if other.Timing != "" {
		t.Timing = "mixed"
	}
	t.Opened += other.Opened
	t.Reused += other.Reused
	t.DialErrors += other.DialErrors
	t.LocalDials += other.LocalDials
	t.Retried += other.Retried
	t.MaxOpen += other.MaxOpen
	t.RoundTrip = max(t.RoundTrip, other.RoundTrip) // of who is farthest
	p, made := &g.Prompts, r.Prompts
	p.Sessions += made.Sessions
	p.Requests += made.Requests
	p.Inexact += made.Inexact
	p.Repeats += made.Repeats
	p.Reused += made.Reused
}

// worker is what became of a worker.
func (m *making) worker(h *hand) loadgen.Worker {
	who := m.members[h.index]
	w := loadgen.Worker{
		Portion: loadgen.Portion{Worker: h.index, Workers: len(m.crew)}, Host: who.Host, Process: who.Process,
		OK: h.ok, Failed: h.failed, Cancelled: h.cancelled, Gone: h.gone,
		Offset: h.clock.offset, Bound: h.clock.bound, Drift: h.drift,
	}
	came := h.ok + h.failed + h.cancelled
	w.Issued = max(came, h.issued)
	if h.beat.Stage && h.beat.Phase == loadgen.Profiling {
		w.Issued = max(w.Issued, h.beat.Issued)
	}
	if h.done != nil {
		w.Issued = max(came, h.done.Outcome.Issued)
		w.Late, w.Verdict, w.Reasons, w.Behind = h.done.Late, h.done.Verdict, h.done.Reasons, h.done.Behind
	}
	w.Lost = w.Issued - came
	return w
}

// healths joins what several generators saw of themselves: what they used and
// counted is summed, of what may only be so large the worst stands.
type healths struct {
	of    loadgen.Health
	hosts []string
	n     int
	// apart says that each has a quota of its own, on one host too. Where several
	// share one all the same, it holds them back: that is another sign.
	apart   bool
	granted float64 // by quotas, or by the processors of who has none
	limited bool    // one has a quota
}

func (j *healths) add(h loadgen.Health, host string) {
	if h.Wall == 0 {
		return // it was over before
	}
	a := &j.of
	first := !slices.Contains(j.hosts, host)
	if first || j.apart {
		j.limited = j.limited || h.CPUQuota > 0
		j.granted += cmp.Or(h.CPUQuota, float64(h.CPUs))
	}
	if first {
		j.hosts = append(j.hosts, host)
	}
	if j.n++; j.n == 1 {
		*a = h
		return
	}
	a.GOMAXPROCS += h.GOMAXPROCS
	if first {
		a.CPUs += h.CPUs
	}
	a.Wall = max(a.Wall, h.Wall)
	a.ProcessCPU += h.ProcessCPU
	a.MachineBusy = max(a.MachineBusy, h.MachineBusy)
	a.Throttled = max(a.Throttled, h.Throttled)
	a.StoodStill = max(a.StoodStill, h.StoodStill)
	a.SchedLatency, a.GCPause = worst(a.SchedLatency, h.SchedLatency), worst(a.GCPause, h.GCPause)
	a.GCCycles += h.GCCycles
	a.HeapPeak += h.HeapPeak
	a.RSSPeak += h.RSSPeak
	a.Goroutines += h.Goroutines
	a.ClockSteps += h.ClockSteps
	a.Starved += h.Starved
}

func (j *healths) joined() loadgen.Health {
	if j.n == 0 {
		none := loadgen.Quantiles{P50: -1, P99: -1, Max: -1}
		return loadgen.Health{MachineBusy: -1, SchedLatency: none, GCPause: none}
	}
	if j.of.CPUQuota = 0; j.limited {
		j.of.CPUQuota = j.granted
	}
	return j.of
}

func worst(a, b loadgen.Quantiles) loadgen.Quantiles {
	return loadgen.Quantiles{P50: max(a.P50, b.P50), P99: max(a.P99, b.P99), Max: max(a.Max, b.Max)}
}
