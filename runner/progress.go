package runner

import (
	"sync"
	"sync/atomic"
	"time"

	"loadgen/metrics"
	"loadgen/observe"
	"loadgen/sweep"
)

// Progress shows how a run goes on. Its methods may be called at any time.
type Progress struct {
	Cell *sweep.Cell
	Run  int // its place among the runs of the batch, from 1
	Runs int // in the batch, as far as that is known
	// Search says how the search stands that the run is a probe of; empty for
	// none.
	Search string

	driver    pulse
	collector *metrics.Collector

	drained atomic.Bool
	over    atomic.Pointer[time.Duration] // how long its last stage took; nil before

	mu     sync.Mutex
	stage  Stage
	server *observe.Observer
}

// A pulse is what a progress reads while requests are sent.
type pulse interface {
	InFlight() int
	Issued() int
	Elapsed() time.Duration
}

// A Stage is a part of a run and what ends it.
type Stage struct {
	Name     string        // "warm-up" or "profiling"; empty before the first request
	Requests int           // ends after so many, 0 for no limit
	Duration time.Duration // ends after so long, 0 for no limit
}

func (p *Progress) begin(name string, requests int, duration time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage = Stage{name, requests, duration}
}

// watch shows what an observer sees.
func (p *Progress) watch(o *observe.Observer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = o
}

// Server returns the levels that the server told last, by noun, those of its GPUs
// with gpu_ before them; empty where it is not asked.
func (p *Progress) Server() map[string]float64 {
	p.mu.Lock()
	o := p.server
	p.mu.Unlock()
	return o.Now()
}

// Stage returns what the run is doing.
func (p *Progress) Stage() Stage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stage
}

// Drained reports whether the load of the measurement has become less.
func (p *Progress) Drained() bool { return p.drained.Load() }

// finish notes that nothing more is sent or awaited: what follows, such as hooks
// and analyses, is no part of the run.
func (p *Progress) finish() {
	took := p.driver.Elapsed()
	p.over.Store(&took)
}

// Over reports whether the run is over, and how long its last stage took.
func (p *Progress) Over() (took time.Duration, over bool) {
	if d := p.over.Load(); d != nil {
		return *d, true
	}
	return 0, false
}

// InFlight returns how many requests are under way.
func (p *Progress) InFlight() int { return p.driver.InFlight() }

// Issued returns how many requests the stage has sent.
func (p *Progress) Issued() int { return p.driver.Issued() }

// Elapsed returns how long the stage has been going on.
func (p *Progress) Elapsed() time.Duration { return p.driver.Elapsed() }

// Live returns the figures so far.
func (p *Progress) Live() metrics.Live { return p.collector.Live() }
