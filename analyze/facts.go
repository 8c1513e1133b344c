package analyze

import (
	"math"

	"loadgen"
	"loadgen/metrics"
)

// CellFacts is what findings need to know of one run: the load asked for,
// what was achieved, and the calls themselves. Counts and means are of the
// whole run, whatever of its calls the trace has.
type CellFacts struct {
	Name        string  // the cell's directory; empty for a trace
	At          string  // the swept values that are no load: runs that differ in them are not compared
	Concurrency int     // users of a closed loop; 0 for a rate
	Rate        float64 // asked requests/s; 0 for a closed loop
	Ceiling     int     // most requests in flight that an open loop may have; 0 for no bound
	Paused      bool    // the users of a closed loop rest between their requests
	Probe       bool    // of a search, which ends it when it has seen enough
	OutputAsked bool    // the run itself asked for answers of a certain length

	Requests   int // ended in the measured phase
	Failed     int
	Cancelled  int     // by loadgen itself, at the end of the run
	Throughput float64 // successes/s
	InFlight   float64 // time average
	PromptMean float64 // tokens; NaN where unknown
	OutputMean float64 // tokens; NaN where unknown

	// Failures are the failed requests by kind, FailedTime the seconds that
	// they took together; NaN where not known of all of them.
	Failures   map[string]int
	FailedTime float64

	TTFT, ITL, Latency Response // seconds, of successes

	LagMean, LagP99 float64 // sent − due, seconds; -1 where not known
	OwnLagP99       float64 // the same without what the ceiling held back; -1 where not known
	Waiting         float64 // requests in the server's own queue, mean; -1 where not known

	Server *metrics.Server // what the server said of itself; nil where it was not asked

	Trace *loadgen.Trace
	ready *view // of the trace, in the sound form
}

// FactsFrom works out the facts of a run from its trace alone.
func FactsFrom(name string, concurrency int, rate float64, tr *loadgen.Trace) CellFacts {
	return newView(tr, Options{}).facts(name, concurrency, rate)
}

func (v *view) facts(name string, concurrency int, rate float64) CellFacts {
	f := CellFacts{
		Name: name, Concurrency: concurrency, Rate: rate, LagMean: -1, LagP99: -1, OwnLagP99: -1, Waiting: -1,
		Failures: map[string]int{}, Trace: v.trace, ready: v,
	}
	var latency, ttft, itl, prompt, output []float64
	for _, c := range v.leaves {
		if c.Kind != loadgen.LLMCall {
			continue
		}
		f.Requests++
		switch {
		case c.Failed && c.Error == string(loadgen.FailCancelled):
			f.Cancelled++
			continue
		case c.Failed:
			f.Failed++
			f.Failures[c.Error]++
			f.FailedTime += c.Duration()
			continue
		}
		latency = append(latency, c.Duration())
		if t, ok := ttftOf(c); ok {
			ttft = append(ttft, t)
		}
		if t, ok := itlOf(c); ok {
			itl = append(itl, t)
		}
		if c.PromptTokens >= 0 {
			prompt = append(prompt, float64(c.PromptTokens))
		}
		if c.CompletionTokens >= 0 {
			output = append(output, float64(c.CompletionTokens))
		}
	}
	if from, to := v.flight.Span(); to > from {
		f.Throughput = float64(len(latency)) / (to - from)
		f.InFlight = v.flight.Area(from, to) / (to - from)
	}
	f.PromptMean, f.OutputMean = metrics.Mean(prompt), metrics.Mean(output)
	f.TTFT, f.ITL, f.Latency = responseOf(ttft), responseOf(itl), responseOf(latency)
	return f
}

// Profile is [Run] on the run's trace, with the findings of it alone. What
// FactsFrom made of the trace serves both.
func (f CellFacts) Profile(opt Options) *Profile {
	v := f.under(opt)
	findings := findings([]CellFacts{f}, opt, func(*CellFacts) *view { return v })
	if opt.AIQ {
		v = newView(f.Trace, opt) // its form keeps calls that the sound one leaves out
	}
	p := v.profile()
	p.Findings = findings
	if more := p.Optimization.More; more != nil {
		more.Findings = findings
	}
	return p
}

// under returns the trace made ready for the sound form of the options.
func (f *CellFacts) under(opt Options) *view {
	opt.AIQ = false
	if f.ready == nil {
		return newView(f.Trace, opt)
	}
	return f.ready.under(opt)
}

// ok is the number of requests that succeeded.
func (f *CellFacts) ok() float64 { return float64(f.Requests - f.Failed - f.Cancelled) }

// timed reports whether TTFT and ITL are known.
func (f *CellFacts) timed() bool {
	return f.TTFT.Mean.Defined() && f.ITL.Mean.Defined() && f.ok() > 0
}

// where names the cell in evidence.
func (f *CellFacts) where() string {
	if f.Name == "" {
		return "the trace"
	}
	return f.Name
}

// positive returns x, or 0 for less and for NaN.
func positive(x float64) float64 {
	if x > 0 && !math.IsInf(x, 0) {
		return x
	}
	return 0
}
