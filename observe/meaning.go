package observe

import (
	"math"
	"slices"
	"time"

	"loadgen"
)

// A member is a series that is a part of a noun, and where it stands.
type member struct {
	e *Endpoint
	s *Series
	r *rule
}

// A meaning says which series a recording has for each noun.
type meaning struct {
	members map[string][]member
	over    map[string][]member // what the times of asMean are divided by
	engines []string
}

// meaning finds the nouns. Of each endpoint the first rule of a noun that any
// series meets is taken, since old and new names of one thing stand side by side.
// What stands before the engines counts only where no engine tells.
func (r *Recording) meaning() *meaning {
	m := &meaning{members: map[string][]member{}, over: map[string][]member{}}
	for _, gateway := range []bool{false, true} {
		known := map[string]bool{}
		for noun := range m.members {
			known[noun] = true
		}
		for _, e := range r.Endpoints {
			if !e.GPU {
				m.take(e, gateway, known)
			}
		}
	}
	slices.Sort(m.engines)
	m.engines = slices.Compact(m.engines)
	return m
}

func (m *meaning) take(e *Endpoint, gateway bool, known map[string]bool) {
	seen, metrics := map[*engine]bool{}, make([]string, len(e.Series))
	for i, s := range e.Series {
		metrics[i] = common(s.Family.Name)
		if g := engineOf(s.Family.Name); g != nil && g.gateway == gateway {
			seen[g] = true
		}
	}
	for i := range engines {
		g := &engines[i]
		if !seen[g] {
			continue
		}
		m.engines = append(m.engines, g.name)
		taken := map[string]string{}
		for j := range g.rules {
			rule := &g.rules[j]
			if first, ok := taken[rule.noun]; known[rule.noun] || ok && first != rule.metric {
				continue
			}
			var found []*Series
			var names []named
			for i, s := range e.Series {
				if rule.matches(metrics[i], s.Labels) && rule.fits(s.Family.Kind) {
					taken[rule.noun] = rule.metric
					found, names = append(found, s), append(names, named{metrics[i], s.Labels})
				}
				if rule.over != "" && metrics[i] == rule.over {
					m.over[rule.noun] = append(m.over[rule.noun], member{e, s, rule})
				}
			}
			for _, i := range g.alone(rule, names) {
				m.members[rule.noun] = append(m.members[rule.noun], member{e, found[i], rule})
			}
		}
	}
}

// fits reports whether a metric is of a kind that the rule can read: texts without
// types are read as numbers.
func (r *rule) fits(k Kind) bool {
	switch r.how {
	case asTime, asSum:
		return !k.scalar()
	}
	return k.scalar()
}

// levelAt returns what the members of a noun came to at a moment; false where one
// of them has no sample that is recent enough.
func (m *meaning) levelAt(noun string, at, age time.Duration) (float64, bool) {
	total, any := 0.0, false
	for _, x := range m.members[noun] {
		v, ok := x.valueAt(at, age)
		if !ok {
			return 0, false
		}
		if any = true; x.r.how == asShare {
			total = max(total, v)
		} else {
			total += v
		}
	}
	return total, any
}

// valueAt returns the sample at a moment or the last one before. A series that has
// not come yet counts nothing.
func (x member) valueAt(at, age time.Duration) (float64, bool) {
	i, found := slices.BinarySearchFunc(x.e.Points, at, func(p Point, t time.Duration) int { return int(p.At - t) })
	if !found {
		i--
	}
	if i < 0 || at-x.e.Points[i].At > age {
		return 0, false
	}
	if v := x.s.Values[i]; !math.IsNaN(v) {
		return v * x.r.factor(), true
	}
	return 0, true
}

// clock returns the moments in a window at which a noun is known: those of the
// endpoint of its first member.
func (m *meaning) clock(noun string, w Window) []time.Duration {
	if len(m.members[noun]) == 0 {
		return nil
	}
	var at []time.Duration
	for _, p := range m.members[noun][0].e.Points {
		if w.has(p.Phase) {
			at = append(at, p.At)
		}
	}
	return at
}

// staleness is how old a sample may be to stand for now.
func (r *Recording) staleness(e *Endpoint) time.Duration {
	return 3 * max(r.Interval, e.Wait) * time.Duration(max(e.Step, 1))
}

// level returns how the members of a noun stood together over a window.
func (m *meaning) level(r *Recording, noun string, w Window) (loadgen.ServerLevel, bool) {
	members := m.members[noun]
	if len(members) == 1 { // of all samples, kept or not
		l, ok := members[0].e.Level(members[0].s, w)
		f := members[0].r.factor()
		return loadgen.ServerLevel{Avg: l.Avg * f, Min: l.Min * f, Max: l.Max * f, N: l.N}, ok
	}
	var sum moments
	for _, at := range m.clock(noun, w) {
		if v, ok := m.levelAt(noun, at, r.staleness(members[0].e)); ok {
			sum.add(v)
		}
	}
	return loadgen.ServerLevel{Avg: sum.mean, Min: sum.min, Max: sum.max, N: sum.n}, sum.n > 0
}

// count returns what the members of a noun counted together.
func (m *meaning) count(noun string, w Window) (float64, bool) {
	total, any := 0.0, false
	for _, x := range m.members[noun] {
		if !x.s.Family.Kind.scalar() {
			// One that took nothing in may be of a figure that nobody tells the server.
			if spread, ok := x.e.Spread(x.s, w); ok && spread.Count > 0 {
				total, any = total+spread.Sum*x.r.factor(), true
			}
			continue
		}
		if change, ok := x.e.Change(x.s, w); ok {
			total, any = total+change.Total*x.r.factor(), true
		}
	}
	return total, any
}

// timing returns how long what the members of a noun took in took.
func (m *meaning) timing(noun string, w Window) (loadgen.ServerTiming, bool) {
	var all Spread
	f := 1.0
	for _, x := range m.members[noun] {
		f = x.r.factor()
		if x.r.how == asMean {
			return m.quotient(noun, w)
		}
		if x.s.Backward > 0 {
			return loadgen.ServerTiming{}, false // what it says of the rest is not known
		}
		if spread, ok := x.e.Spread(x.s, w); ok {
			all.join(spread)
		}
	}
	if all.Count <= 0 {
		return loadgen.ServerTiming{}, false
	}
	return loadgen.ServerTiming{
		N: all.Count, Mean: all.Mean() * f,
		P50: known(all.Quantile(0.5) * f), P99: known(all.Quantile(0.99) * f),
	}, true
}

// clockSteps returns how often times of an endpoint say that its clock was set back.
func (m *meaning) clockSteps(e *Endpoint) (n int) {
	for _, noun := range Times {
		for _, x := range m.members[noun] {
			if x.e == e {
				n = max(n, x.s.Backward)
			}
		}
	}
	return n
}

// quotient is a timing of servers that count seconds and events.
func (m *meaning) quotient(noun string, w Window) (loadgen.ServerTiming, bool) {
	seconds, ok := m.count(noun, w)
	events := 0.0
	for _, x := range m.over[noun] {
		if change, changed := x.e.Change(x.s, w); changed {
			events += change.Total
		}
	}
	if !ok || events <= 0 {
		return loadgen.ServerTiming{}, false
	}
	return loadgen.ServerTiming{N: events, Mean: seconds / events}, true
}

func known(v float64) float64 {
	if finite(v) {
		return v
	}
	return 0
}
