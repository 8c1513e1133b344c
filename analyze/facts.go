package analyze

import (
	"cmp"
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

// CellFacts is what findings need to know of one run: the load asked for,
// what was achieved, and the calls themselves.
type CellFacts struct {
	Name        string  // the cell's directory; empty for a trace
	Concurrency int     // users of a closed loop; 0 for a rate
	Rate        float64 // asked requests/s; 0 for a closed loop

	Requests   int // ended in the measured phase
	Failed     int
	Throughput float64 // successes/s
	InFlight   float64 // time average
	PromptMean float64 // tokens; NaN where unknown
	OutputMean float64 // tokens; NaN where unknown

	TTFT, ITL, Latency Response // seconds, of successes

	LagMean, LagP99 float64 // sent − due, seconds; -1 where not known
	Waiting         float64 // requests in the server's own queue, mean; -1 where not known

	Trace *loadgen.Trace
	ready *view // of the trace, in the sound form
}

// FactsFrom works out the facts of a run from its trace alone.
func FactsFrom(name string, concurrency int, rate float64, tr *loadgen.Trace) CellFacts {
	return newView(tr, Options{}).facts(name, concurrency, rate)
}

func (v *view) facts(name string, concurrency int, rate float64) CellFacts {
	f := CellFacts{Name: name, Concurrency: concurrency, Rate: rate, LagMean: -1, LagP99: -1, Waiting: -1, Trace: v.trace, ready: v}
	var latency, ttft, itl, prompt, output []float64
	for _, c := range v.leaves {
		if c.Kind != loadgen.LLMCall {
			continue
		}
		if f.Requests++; c.Failed {
			f.Failed++
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
func (f *CellFacts) ok() float64 { return float64(f.Requests - f.Failed) }

// timed reports whether TTFT and ITL are known.
func (f *CellFacts) timed() bool {
	return f.TTFT.Mean.Defined() && f.ITL.Mean.Defined() && f.ok() > 0
}

// load is what cells are ordered by.
func (f *CellFacts) load() float64 {
	switch {
	case f.Concurrency > 0:
		return float64(f.Concurrency)
	case f.Rate > 0:
		return f.Rate
	default:
		return f.InFlight
	}
}

// where names the cell in evidence.
func (f *CellFacts) where() string {
	if f.Name == "" {
		return "the trace"
	}
	return f.Name
}

// byLoad returns the cells that have times in order of load; of several at
// one load the first is kept. Rates and concurrencies do not mix: then the
// order is that of the requests in flight.
func byLoad(cells []CellFacts) []CellFacts {
	sorted := slices.DeleteFunc(slices.Clone(cells), func(c CellFacts) bool { return !c.timed() })
	mixed := slices.ContainsFunc(sorted, func(c CellFacts) bool { return c.Concurrency > 0 }) &&
		slices.ContainsFunc(sorted, func(c CellFacts) bool { return c.Concurrency == 0 })
	load := func(c *CellFacts) float64 {
		if mixed {
			return c.InFlight
		}
		return c.load()
	}
	slices.SortStableFunc(sorted, func(a, b CellFacts) int { return cmp.Compare(load(&a), load(&b)) })
	return slices.CompactFunc(sorted, func(a, b CellFacts) bool { return load(&a) == load(&b) })
}

// positive returns x, or 0 for less and for NaN.
func positive(x float64) float64 {
	if x > 0 && !math.IsInf(x, 0) {
		return x
	}
	return 0
}
