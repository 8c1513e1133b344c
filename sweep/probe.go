package sweep

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// A Probe is what a search asks of a run.
type Probe struct {
	// Base is the cell whose capacity is sought, Load the value that the
	// search's key takes.
	Base *Cell
	Load float64
	// Tiers are the limits that the run is to decide on at a confidence.
	Tiers      []Tier
	Confidence float64
	// Looks are the times at which it may be decided; the last ends the run.
	Looks []time.Duration
	// earlier is how many of them are only for what is far within its limit.
	earlier int
	// proves: it is to prove a capacity, and none of those ends it.
	proves bool
	// patience is how long a run of arrivals must be for its answer.
	patience patience
	// grows: it is above all loads that were tried, and they kept their limits.
	grows bool
	// confirms are the limits that it is to keep as the proof of a capacity: it may end
	// as soon as it does.
	confirms []metrics.Limit
	// Open is the number from 1 of the tier whose capacity the run puts to the
	// proof of an open loop; Load is then its rate. 0 for a probe of the search.
	Open int
}

// Short reports whether the run has but one look.
func (p *Probe) Short() bool { return len(p.Looks) == 1 }

// Usual is about how long such a run takes: the first look for all.
func (p *Probe) Usual() time.Duration { return p.Looks[p.earlier] }

// Longest is how long a run of a cell measures at most; one of a search until its last
// look. 0 where no time ends it.
func (b *Batch) Longest(cell *Cell) time.Duration {
	if !b.Search.Asked() {
		return cell.Config.BenchmarkDuration
	}
	return b.Search.probe(cell, b.Search.From, false).Config.BenchmarkDuration
}

// looks are the times at which a probe is looked at, in multiples of
// benchmark_duration: before it has gone by only for what is far within its limit. The
// queue of an open loop takes longer to show its state, where it has one.
func looks(p Pacing) []float64 {
	if p.Mode == loadgen.OpenLoop {
		return []float64{0.25, 0.5, 1, 2, 4, 8}
	}
	return []float64{0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4}
}

// early reports whether only what is far within its limit is over after a multiple of
// benchmark_duration.
func early(p Pacing, look float64) bool {
	return look < 1 || p.Mode == loadgen.OpenLoop && look < 2
}

// probe returns the cell of a load: the base with the load set. A short one has
// but the first look.
func (s *Search) probe(cell *Cell, load float64, short bool) *Cell {
	c := cell.Config
	c.given = maps.Clone(c.given)
	c.given[s.Over] = true
	own := loadgen.Value{Key: s.Over, Value: s.set(&c, load)}
	p := &Probe{Base: cell, Load: load, Tiers: s.AllTiers(), Confidence: float64(s.Confidence), patience: s.patience(c.Pacing())}
	return p.cell(c, own, short)
}

// cell is the base with a configuration of the probe's load.
func (p *Probe) cell(c Config, load loadgen.Value, short bool) *Cell {
	for _, n := range looks(c.Pacing()) {
		look := time.Duration(n * float64(c.BenchmarkDuration))
		if early(c.Pacing(), n) {
			p.earlier++
		}
		p.Looks = append(p.Looks, look)
	}
	if short || p.Open > 0 {
		p.Looks, p.earlier = p.Looks[p.earlier:], 0
	}
	if short {
		p.Looks = p.Looks[:1]
	}
	c.BenchmarkDuration = p.Looks[len(p.Looks)-1]
	cell, own := p.Base, []loadgen.Value{load}
	values := append(append([]loadgen.Value(nil), cell.Values...), own...)
	dir := "search/" + directory(own)
	if cell.Dir != "" {
		dir = "search/" + cell.Dir + "/" + directory(own)
	}
	return &Cell{
		Cell:   loadgen.Cell{Index: cell.Index, Values: values, Dir: dir, Seed: cellSeed(c.RandomSeed, values)},
		Config: c,
		Pacing: c.Pacing(),
		Probe:  p,
	}
}

// Sought are the limits that the run's figures are held against.
func (p *Probe) Sought() []metrics.Limit {
	s := Search{Tiers: map[string]SearchLimits{}}
	for i, tier := range p.Tiers {
		s.Tiers[strconv.Itoa(i)] = tier.Limits
	}
	return s.sought()
}

// Sure reports whether what a run came to decides every tier as far as a run can, at a
// look by its number from 0.
func (p *Probe) Sure(look int, margins []metrics.Margin, queue metrics.Queue) bool {
	early := look < p.earlier
	if early && p.proves || p.open() && slices.ContainsFunc(p.Tiers, func(t Tier) bool { return p.undisclosed(look, margins, t.Limits, queue) }) {
		return false
	}
	if len(p.confirms) > 0 && !early && metrics.Kept(margins, p.confirms) {
		return true
	}
	for _, tier := range p.Tiers {
		if early && !p.far(look, margins, tier.Limits, queue) || !metrics.Settled(margins, tier.Limits, p.Confidence, p.open()) {
			return false
		}
	}
	return true
}

// undisclosed reports whether too few arrivals, or too little time, have gone by to tell
// whether limits are kept, or a queue grows that will break them.
func (p *Probe) undisclosed(look int, margins []metrics.Margin, limits []metrics.Limit, queue metrics.Queue) bool {
	at := p.Looks[look]
	few := !p.grows && at < p.patience.arrivals
	switch {
	case metrics.Kept(margins, limits):
		return queue.Grows || !queue.Alone() && (few || at < p.patience.overload)
	case metrics.Lost(margins, limits, p.Confidence):
		return false
	}
	return few
}

// open reports whether requests come whatever is still in flight.
func (p *Probe) open() bool { return p.Open > 0 || p.Base.Pacing.Mode == loadgen.OpenLoop }

// far reports whether limits are so far that an early look is enough. Arrivals need the
// first half of benchmark_duration for that, and all of it between loads that bear down
// on the limit; but where hardly one waits for another, a few say what the next load is
// to be.
func (p *Probe) far(look int, margins []metrics.Margin, limits []metrics.Limit, queue metrics.Queue) bool {
	far := metrics.Far(margins, limits, p.Confidence)
	switch {
	case !p.open():
		return far
	case !p.grows:
		return far && look == p.earlier-1
	}
	return far && look > 0 || queue.Alone() && metrics.Clear(margins, limits, p.Confidence)
}

// void says why a run is no vote on its load; empty for one that is. What the
// endpoint fails at is one: it bore too little.
func void(run *Run) string {
	s := run.Summary
	switch {
	case run.Err != nil && (s == nil || run.Outcome.Cut != "" || s.Counts.Failed+s.Counts.Cancelled == 0):
		return "failed: " + run.Err.Error()
	case s == nil || !slices.ContainsFunc(run.Margins, metrics.Margin.Known):
		if run.Err != nil {
			return "measured nothing: " + run.Err.Error()
		}
		if s != nil && s.Counts.OK > 0 {
			return fmt.Sprintf("had too few requests, %d with those that do not count at its beginning: raise benchmark_duration", s.Counts.OK+s.Counts.Failed)
		}
		return "measured nothing"
	}
	if s.Validity.Verdict == metrics.Invalid {
		for _, sign := range s.Validity.Reasons {
			if sign.Verdict == metrics.Invalid && !sign.OfEndpoint() {
				return "INVALID: " + sign.Text
			}
		}
	}
	return ""
}

// overwhelmed reports whether a run that broke off did so at an endpoint that was there
// and failed at too many requests, for sure: that is what a load beyond it does.
func overwhelmed(run *Run) bool {
	if run.Err == nil || run.Summary == nil {
		return false
	}
	elsewhere := func(e metrics.Error) bool { return e.Kind == loadgen.FailLocal || e.Kind == loadgen.FailConnect }
	failed := slices.IndexFunc(run.Margins, func(m metrics.Margin) bool { return m.Name == metrics.ErrorRate })
	return failed >= 0 && !slices.ContainsFunc(run.Summary.Errors, elsewhere) &&
		metrics.Judge(run.Margins, []metrics.Limit{run.Margins[failed].Limit}, Confidence) == stats.Fail
}

// loadText writes a load as it stands in a batch file.
func loadText(load float64) string { return strconv.FormatFloat(load, 'g', -1, 64) }

// roundLoad keeps a load that is no whole number to four digits: what is probed
// is what is told.
func (s *Search) roundLoad(load float64) float64 {
	if s.Whole() {
		return math.Round(load)
	}
	return roundRate(load)
}

func roundRate(rate float64) float64 {
	rounded, err := strconv.ParseFloat(fmt.Sprintf("%.4g", rate), 64)
	if err != nil {
		return rate
	}
	return rounded
}
