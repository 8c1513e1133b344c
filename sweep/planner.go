package sweep

import (
	"cmp"
	"fmt"
	"slices"

	"loadgen"
)

// An Ask is a run that is to be made.
type Ask struct {
	Cell *Cell
	// Number says which of the cell's runs it is, from 1; 0 where a cell has
	// but one.
	Number int
	// Skip is why the run is not made after all, and stands in its place;
	// empty for a run that is.
	Skip string
}

// Seed is the seed of the run. The first run of a cell has the cell's, so that
// a batch without repeats and the first round of one with them send the same.
func (a Ask) Seed(vary bool) loadgen.Seed {
	if !vary || a.Number <= 1 {
		return a.Cell.Seed
	}
	return a.Cell.Seed.Sub(fmt.Sprintf("repeat %d", a.Number))
}

// Name says in a few words which run it is.
func (a Ask) Name() string {
	name := "the run"
	if a.Cell.Dir != "" {
		name = a.Cell.Dir
	}
	if a.Number > 0 {
		kind := "repeat"
		if a.Cell.Probe != nil {
			kind = "probe"
		}
		name += fmt.Sprintf(", %s %d", kind, a.Number)
	}
	return name
}

// A Planner says what to run next. It decides from what is over alone, and a
// run is known by its cell and number: whether it was made just now or in a
// night that was broken off makes no difference.
type Planner interface {
	// Next returns the next run, false when there is none.
	Next(done []*Run) (Ask, bool)
	// Left returns how many runs are to come, about so many where exact is
	// false.
	Left(done []*Run) (runs int, exact bool)
}

// Asked returns a run by what tells it from others: the index of its cell, its
// number, and the load where it is a probe, which may be a short one or an open
// loop for a tier by its number from 1.
func (b *Batch) Asked(cell, number int, load float64, short bool, open int) (Ask, error) {
	for _, cells := range [][]Cell{b.cells, b.leftOut} {
		for i := range cells {
			c := &cells[i]
			if c.Index != cell {
				continue
			}
			switch {
			case open > 0:
				c = b.Search.arrivals(c, load, open)
			case load > 0:
				c = b.Search.probe(c, load, short)
			}
			return Ask{Cell: c, Number: number}, nil
		}
	}
	return Ask{}, fmt.Errorf("the batch has no cell %d", cell)
}

// A RepeatOrder says in which order the runs of a batch with repeats are made.
type RepeatOrder string

const (
	// Interleaved makes one run of every cell, then the next of every cell: a
	// server that slowly changes changes alike for all cells.
	Interleaved RepeatOrder = "interleaved"
	// Shuffled does, each round in an order of its own.
	Shuffled RepeatOrder = "shuffled"
	// Blocked makes all runs of a cell before the next cell's.
	Blocked RepeatOrder = "blocked"
)

// A fixedPlan makes the runs of a list that is known from the start.
type fixedPlan []Ask

// Plan returns the planner of a batch.
func (b *Batch) Plan() Planner {
	if b.Search.Asked() {
		return searching{b}
	}
	var plan Planner = fixedPlan(b.Runs())
	if b.RepeatUntil.Metric != "" {
		plan = preciseEnough{b}
	}
	if len(b.StopWhen) > 0 {
		plan = hopeless{plan, b.StopWhen}
	}
	return plan
}

// MostRuns returns how many runs a batch may have: of a search, about so many.
func (b *Batch) MostRuns() int {
	if b.Search.Asked() {
		return len(b.cells) * mostProbes
	}
	return len(b.Runs())
}

// Runs lists all runs that a batch without a search may have, in their order.
func (b *Batch) Runs() []Ask {
	cells := b.Cells()
	most := b.Repeats
	if b.RepeatUntil.Metric != "" {
		most = b.RepeatUntil.Max
	}
	if most <= 1 {
		asks := make([]Ask, len(cells))
		for i := range cells {
			asks[i].Cell = &cells[i]
		}
		return asks
	}
	var asks []Ask
	if b.RepeatOrder == Blocked {
		for i := range cells {
			for n := range most {
				asks = append(asks, Ask{Cell: &cells[i], Number: n + 1})
			}
		}
		return asks
	}
	for n := range most {
		round := make([]int, len(cells))
		for i := range round {
			round[i] = i
		}
		if b.RepeatOrder == Shuffled {
			rng := loadgen.Seed(b.Base.RandomSeed).Rand(fmt.Sprintf("order of round %d", n+1))
			rng.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		for _, i := range round {
			asks = append(asks, Ask{Cell: &cells[i], Number: n + 1})
		}
	}
	return asks
}

// InOrder returns runs in the order in which an unbroken batch makes them: one
// that goes on makes those that are missing last. Those of a search stay as they
// are within a cell.
func (b *Batch) InOrder(runs []*Run) []*Run {
	if b.Search.Asked() {
		return slices.SortedStableFunc(slices.Values(runs), func(a, b *Run) int { return cmp.Compare(a.Cell.Index, b.Cell.Index) })
	}
	at := map[place]int{}
	for i, ask := range b.Runs() {
		at[ask.place()] = i
	}
	return slices.SortedStableFunc(slices.Values(runs), func(a, b *Run) int { return cmp.Compare(at[a.place()], at[b.place()]) })
}

// place is what runs are told apart by.
type place struct {
	cell, number int
	load         float64 // of a search
	open         int
}

func (a Ask) place() place {
	p := place{cell: a.Cell.Index, number: a.Number}
	if a.Cell.Probe != nil {
		p.load, p.open = a.Cell.Probe.Load, a.Cell.Probe.Open
	}
	return p
}

func placesOf(done []*Run) map[place]bool {
	places := make(map[place]bool, len(done))
	for _, run := range done {
		places[run.place()] = true
	}
	return places
}

func (p fixedPlan) Next(done []*Run) (Ask, bool) {
	over := placesOf(done)
	for _, ask := range p {
		if !over[ask.place()] {
			return ask, true
		}
	}
	return Ask{}, false
}

func (p fixedPlan) Left(done []*Run) (int, bool) {
	over, left := placesOf(done), 0
	for _, ask := range p {
		if !over[ask.place()] {
			left++
		}
	}
	return left, true
}
