package observe

import (
	"math"
	"slices"
	"time"

	"loadgen"
)

// Server says in the common nouns what was observed; nil where nothing was.
func (r *Recording) Server() *loadgen.Server {
	if r.Empty() {
		return nil
	}
	m := r.meaning()
	out := &loadgen.Server{Engines: m.engines, GPUs: r.gpus()}
	for _, e := range r.Endpoints {
		source := r.sourceOf(e)
		source.ClockSteps = m.clockSteps(e)
		out.Sources = append(out.Sources, source)
	}
	out.Whole = *r.window(m, WholeRun)
	out.Warmup, out.Loaded = r.window(m, WarmingUp), r.window(m, UnderLoad)
	out.Measured = r.window(m, Measured)
	out.Beside = r.beside(m)
	return out
}

// Epoch is when the measurement began; where it did not, when the recording did.
func (r *Recording) Epoch() time.Duration { return r.Marks[Profiling] }

// window returns what the server said of one; nil where nothing was seen in it.
func (r *Recording) window(m *meaning, w Window) *loadgen.ServerWindow {
	out := &loadgen.ServerWindow{Levels: map[string]loadgen.ServerLevel{}, Counts: map[string]float64{}, Times: map[string]loadgen.ServerTiming{}}
	from, to, seen := time.Duration(math.MaxInt64), time.Duration(0), false
	for _, e := range r.Endpoints {
		if x, ok := e.in(w); ok {
			from, to, seen = min(from, e.Points[x.from].At), max(to, e.Points[x.to-1].At), true
		}
	}
	if !seen {
		return nil
	}
	out.From, out.To = (from - r.Epoch()).Seconds(), (to - r.Epoch()).Seconds()
	for _, noun := range Levels {
		if l, ok := m.level(r, noun, w); ok && finite(l.Avg) && finite(l.Min) && finite(l.Max) {
			out.Levels[noun] = l
		}
	}
	complete(out)
	for _, noun := range Counts {
		if n, ok := m.count(noun, w); ok && finite(n) {
			out.Counts[noun] = n
		}
	}
	if _, told := out.Counts[PrefixHits]; !told {
		delete(out.Counts, PrefixQueries) // nothing is known of what was looked up
	}
	for _, noun := range Times {
		if t, ok := m.timing(noun, w); ok && finite(t.N) && finite(t.Mean) {
			out.Times[noun] = t
		}
	}
	return out
}

// sourceOf says how an endpoint answered.
func (r *Recording) sourceOf(e *Endpoint) loadgen.ServerSource {
	s := loadgen.ServerSource{
		URL: e.URL, GPU: e.GPU, Scrapes: e.Fetches, Failed: e.Failed, Why: e.Off, Odd: e.Odd,
		Step: (max(r.Interval, e.Wait) * time.Duration(max(e.Step, 1))).Seconds(), CPU: e.CPU.Seconds(),
	}
	for i, g := range e.Gaps {
		if i == 0 && s.Why == "" {
			s.Why = g.Why
		}
		s.Missed += (g.To - g.From + r.Interval).Seconds()
	}
	var took time.Duration
	for _, p := range e.Points {
		took += p.Took
		if ms := float64(p.Took) / 1e6; s.Least == 0 || ms < s.Least {
			s.Least = ms
		}
	}
	if n := len(e.Points); n > 0 {
		s.Took = float64(took) / float64(n) / 1e6
	}
	for _, series := range e.Series {
		s.Restarts = max(s.Restarts, series.Resets)
	}
	return s
}

// beside compares the run's requests in flight with the server's, at the moments
// of the scrapes under load; nil where the server does not tell them.
func (r *Recording) beside(m *meaning) *loadgen.Beside {
	noun := Running
	if len(m.members[noun]) == 0 {
		noun = Inside
	}
	if len(m.members[noun]) == 0 {
		return nil
	}
	first := m.members[noun][0].e
	var client, server, differences []float64
	for _, p := range first.Points {
		if p.Phase != Profiling || p.border || math.IsNaN(p.Client) {
			continue
		}
		v, ok := m.levelAt(noun, p.At, r.staleness(first))
		if noun == Running && len(m.members[Waiting]) > 0 {
			more, known := m.levelAt(Waiting, p.At, r.staleness(first))
			v, ok = v+more, ok && known
		}
		if ok {
			client, server, differences = append(client, p.Client), append(server, v), append(differences, v-p.Client)
		}
	}
	if len(client) < 3 {
		return nil // chance cannot be told
	}
	b := &loadgen.Beside{N: len(client), Client: mean(client), Server: mean(server), Error: standardError(differences)}
	if !finite(b.Server) || !finite(b.Error) {
		return nil
	}
	return b
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// standardError is that of the mean of values that follow each other in time:
// neighbours are alike, and tell less than as many independent ones, by their
// correlation with the next. There are three at least.
func standardError(v []float64) float64 {
	n := float64(len(v))
	m, variance, together := mean(v), 0.0, 0.0
	for i, x := range v {
		variance += (x - m) * (x - m)
		if i > 0 {
			together += (x - m) * (v[i-1] - m)
		}
	}
	if variance == 0 {
		return 0
	}
	rho := min(max(together/variance, 0), 0.9)
	return math.Sqrt(variance/(n-1)/n) * math.Sqrt((1+rho)/(1-rho))
}

// A Line is a noun over the time of a run.
type Line struct {
	Noun   string
	At     []float64 // seconds since the epoch
	Values []float64
}

// Lines returns the nouns over time: levels as they were sampled, counts as their
// rate per second since the sample before, times as the mean of what was taken in
// since then; what is not known is NaN.
func (r *Recording) Lines() []Line {
	if r.Empty() {
		return nil
	}
	m := r.meaning()
	var lines []Line
	for _, noun := range slices.Concat(Levels, Counts, Times) {
		members := m.members[noun]
		if len(members) == 0 {
			continue
		}
		line := Line{Noun: noun}
		first := members[0].e
		for i, p := range first.Points {
			v := math.NaN()
			switch {
			case slices.Contains(Levels, noun):
				if level, ok := m.levelAt(noun, p.At, r.staleness(first)); ok {
					v = level
				}
			case i > 0:
				v = m.between(noun, members, i)
			}
			line.At, line.Values = append(line.At, (p.At-r.Epoch()).Seconds()), append(line.Values, v)
		}
		lines = append(lines, line)
	}
	return lines
}

// between returns the rate of a count, or the mean of a time, between a point of
// the first member's endpoint and the one before. Members of other endpoints, whose
// moments differ, are taken at their own points of the same place.
func (m *meaning) between(noun string, members []member, i int) float64 {
	sum, count, seconds := 0.0, 0.0, 0.0
	for _, x := range members {
		if i >= len(x.e.Points) {
			continue
		}
		seconds = max(seconds, (x.e.Points[i].At - x.e.Points[i-1].At).Seconds())
		if x.s.Family.Kind.scalar() {
			if d := x.s.Values[i] - x.s.Values[i-1]; finite(d) {
				sum += d * x.r.factor()
			}
			continue
		}
		now, before := x.s.hists[i], x.s.hists[i-1]
		if now != nil && before != nil {
			sum, count = sum+(now.sum-before.sum)*x.r.factor(), count+now.count-before.count
		}
	}
	if members[0].r.how == asTime {
		if sum < 0 {
			return math.NaN() // the server's clock was set back
		}
		return sum / positive(count)
	}
	if members[0].r.how == asMean {
		return math.NaN()
	}
	return sum / positive(seconds)
}

// positive returns v, or NaN for none.
func positive(v float64) float64 {
	if v > 0 {
		return v
	}
	return math.NaN()
}

// complete adds what follows from what is known of requests inside.
func complete(w *loadgen.ServerWindow) {
	running, isRunning := w.Levels[Running]
	waiting, isWaiting := w.Levels[Waiting]
	inside, isInside := w.Levels[Inside]
	switch {
	case isRunning: // whatever a gateway before the engines has beside these
		w.Levels[Inside] = loadgen.ServerLevel{Avg: running.Avg + waiting.Avg, Min: running.Min + waiting.Min, Max: running.Max + waiting.Max, N: running.N}
	case isInside && isWaiting:
		w.Levels[Running] = loadgen.ServerLevel{Avg: max(inside.Avg-waiting.Avg, 0), Min: max(inside.Min-waiting.Max, 0), Max: inside.Max, N: inside.N}
	}
}
