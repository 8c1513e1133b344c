package observe

import (
	"slices"
	"strings"
	"time"

	"loadgen/internal/outside"
)

// What an observer keeps at most, so that a whole night fits.
const (
	// MostPoints is how many scrapes of an endpoint are kept: of more every
	// second one is dropped, and from then on the step between them is twice as
	// long.
	MostPoints = 2000
	// mostNumbers bounds the numbers of one endpoint's series likewise: 32 MB.
	mostNumbers = 4 << 20
	// mostSeries is how many series a scrape may have.
	mostSeries = 20_000
	// mostGaps is how many gaps are told one by one.
	mostGaps = 100
	// longestText is how much is kept of a text of the server's.
	longestText = 1000
)

// An Endpoint is what one source of metrics said.
type Endpoint struct {
	URL    string // as it is shown: without what may be secret
	GPU    bool   // it is an exporter of GPU metrics
	Points []Point
	Series []*Series // in the order in which they came

	Fetches int   // tries
	Failed  int   // of these
	Gaps    []Gap // times without an answer
	// Untold counts the gaps beyond those.
	Untold int
	// Changed counts the scrapes that differed from the one before.
	Changed int
	// Odd counts samples left out: NaN, infinite, or twice in one scrape.
	Odd int
	// Dropped counts the scrapes that were dropped to bound the memory; Step is
	// every how manieth one is kept.
	Dropped, Step int
	// Wait is the time between scrapes; longer than what was asked for where
	// reading them took too much of the CPU.
	Wait time.Duration
	// CPU is what reading them took, Bytes how much came, as it was sent.
	CPU   time.Duration
	Bytes int64
	Off   string // why it was given up; empty while it was not

	byKey   map[string]*Series
	numbers int
	skip    int      // scrapes to drop before the next that is kept
	latest  []sample // of the last scrape
}

// A Gap is a time in which scrapes failed.
type Gap struct {
	From, To time.Duration // of the first and the last failed one, since the observer began
	N        int
	Why      string // of the first
}

// fail notes a scrape that brought nothing.
func (e *Endpoint) fail(at time.Duration, why string) {
	e.Fetches++
	e.Failed++
	if n := len(e.Gaps); n > 0 && (len(e.Points) == 0 || e.Gaps[n-1].To > e.Points[len(e.Points)-1].At) {
		e.Gaps[n-1].To = at
		e.Gaps[n-1].N++
		return
	}
	if len(e.Gaps) == mostGaps {
		e.Untold++
		return
	}
	e.Gaps = append(e.Gaps, Gap{From: at, To: at, N: 1, Why: why})
}

// add takes in a scrape. hide takes secrets out of a text.
func (e *Endpoint) add(p Point, got parsed, hide func(string) string) {
	e.Fetches++
	e.Odd += got.odd
	e.latest = got.samples
	border := p.border || len(e.Points) == 0 || e.Points[len(e.Points)-1].Phase != p.Phase
	if !border && e.skip > 0 {
		e.pass(got, p.Phase)
		return
	}
	e.skip = max(e.Step, 1) - 1
	e.Points = append(e.Points, p)
	var key []byte
	changed := false
	for i := range got.samples {
		v := &got.samples[i]
		key = v.key(key[:0])
		s := e.byKey[string(key)]
		if s == nil {
			if len(e.byKey) >= 2*mostSeries { // labels that are ever new
				e.Odd++
				continue
			}
			s = newSeries(v, hide)
			if e.byKey == nil {
				e.byKey = map[string]*Series{}
			}
			e.byKey[string(key)] = s
			e.Series = append(e.Series, s)
		}
		if s.Family.Kind != v.family.Kind {
			e.Odd++
			continue
		}
		changed = changed || s.differs(v)
		e.numbers += s.add(v, p.Phase, len(e.Points))
	}
	for _, s := range e.Series {
		s.pad(len(e.Points))
	}
	if changed {
		e.Changed++
		e.Points[len(e.Points)-1].Changed = true
	}
	for len(e.Points) > MostPoints || e.numbers > mostNumbers && len(e.Points) > 8 {
		if !e.thin() {
			break
		}
	}
}

// pass takes in a scrape that is not kept: its gauges count, and so do the resets of
// its counters.
func (e *Endpoint) pass(got parsed, phase Phase) {
	e.skip--
	e.Dropped++
	var key []byte
	for i := range got.samples {
		v := &got.samples[i]
		key = v.key(key[:0])
		s := e.byKey[string(key)]
		switch {
		case s == nil || s.Family.Kind != v.family.Kind:
		case v.hist == nil:
			s.scalar(v.value, phase)
		default:
			s.histogram(v.hist)
		}
	}
}

// differs reports whether a sample is another than the last one.
func (s *Series) differs(v *sample) bool {
	if v.hist == nil {
		n := len(s.Values)
		return n == 0 || s.Values[n-1] != s.offset+v.value
	}
	return s.lastH == nil || s.lastH.count != v.hist.count || s.lastH.sum != v.hist.sum
}

// newSeries begins a series with what is kept of the server's texts.
func newSeries(v *sample, hide func(string) string) *Series {
	text := func(t string) string {
		t = hide(t)
		if len(t) > longestText {
			t = strings.ToValidUTF8(t[:longestText], "") + "…"
		}
		return t
	}
	f := *v.family
	f.Help, f.Name, f.Unit = outside.Line(text(f.Help)), text(f.Name), text(f.Unit)
	s := &Series{Family: &f}
	for _, l := range v.labels {
		s.Labels = append(s.Labels, Label{text(l.Name), text(l.Value)})
	}
	return s
}

// thin drops every second point, but none at the border of a phase: from these the
// windows are measured. It reports whether any was dropped.
func (e *Endpoint) thin() bool {
	var places []int
	drop := false
	for i := range e.Points {
		border := i == 0 || i == len(e.Points)-1 || e.Points[i-1].Phase != e.Points[i].Phase || e.Points[i+1].Phase != e.Points[i].Phase
		if drop = !drop && !border; !drop {
			places = append(places, i)
		}
	}
	dropped := len(e.Points) - len(places)
	e.Dropped += dropped
	e.Step = 2 * max(e.Step, 1)
	e.Points = pick(e.Points, places)
	e.numbers = 0
	for _, s := range e.Series {
		e.numbers += s.keep(places)
	}
	return dropped > 0
}

// Sorted returns the series in the order of their names and labels.
func (e *Endpoint) Sorted() []*Series {
	sorted := slices.Clone(e.Series)
	slices.SortStableFunc(sorted, func(a, b *Series) int {
		if c := strings.Compare(a.Family.Name, b.Family.Name); c != 0 {
			return c
		}
		return slices.CompareFunc(a.Labels, b.Labels, func(x, y Label) int {
			if c := strings.Compare(x.Name, y.Name); c != 0 {
				return c
			}
			return strings.Compare(x.Value, y.Value)
		})
	})
	return sorted
}
