package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

// A Part is a stage of a request that a change can come from.
type Part string

// The parts.
const (
	PartQueue   Part = "queue"
	PartPrefill Part = "prefill"
	PartDecode  Part = "decode"
	PartTokens  Part = "tokens"
	PartErrors  Part = "errors"
	PartUnknown Part = "unknown"
)

// A Moved is the result that moved most, with a guess at the cause.
type Moved struct {
	Cell   string         `json:"cell"`
	Metric string         `json:"metric"`
	Ratio  analyze.Number `json:"ratio"`
	// Sure says that the result is decided; otherwise it may be chance.
	Sure bool   `json:"sure"`
	Part Part   `json:"part"`
	Text string `json:"text"`
}

// explain names what moved most and guesses why, by where the mean latency of
// that cell went.
func (c *Comparison) explain(pairs []cellPair) {
	best := -1
	for i := range c.Results {
		if r := &c.Results[i]; !math.IsNaN(r.shift) && (best < 0 || further(r, &c.Results[best])) {
			best = i
		}
	}
	if best < 0 || c.Results[best].shift == 0 {
		return
	}
	r := &c.Results[best]
	at := slices.IndexFunc(pairs, func(p cellPair) bool { return p.key == r.Cell })
	m := &Moved{Cell: r.Cell, Metric: r.Metric, Ratio: r.Ratio, Sure: decided(r)}
	if r.Figure.Tag == metrics.Capacity {
		m.Part, m.Text = pairs[at].reached(r.Figure)
	} else {
		m.Part, m.Text = c.cause(pairs, at)
	}
	c.Moved = m
}

func decided(r *Compared) bool { return r.Verdict == stats.Worse || r.Verdict == stats.Better }

// further says that a moved more than b: decided before undecided, then by
// margins.
func further(a, b *Compared) bool {
	if decided(a) != decided(b) {
		return decided(a)
	}
	margins := func(r *Compared) float64 { return math.Abs(r.shift) / math.Log1p(r.Margin) }
	return margins(a) > margins(b)
}

// Figures that the guess rests on, beside those compared.
var (
	meanLatency = metrics.Figure{Tag: "request_latency", Stat: "avg"}
	meanTTFT    = metrics.Figure{Tag: "time_to_first_token", Stat: "avg"}
	meanITL     = metrics.Figure{Tag: "inter_token_latency", Stat: "avg"}
	meanOSL     = metrics.Figure{Tag: "output_sequence_length", Stat: "avg"}
	meanISL     = metrics.Figure{Tag: "input_sequence_length", Stat: "avg"}
	meanFlight  = metrics.Figure{Tag: "effective_concurrency", Stat: "avg"}
	requestRate = metrics.Figure{Tag: "request_throughput", Stat: "avg"}
	medianTTFT  = metrics.Figure{Tag: "time_to_first_token", Stat: "p50"}
	tailTTFT    = metrics.Figure{Tag: "time_to_first_token", Stat: "p95"}
	errorShare  = metrics.Figure{Tag: metrics.ErrorRate, Stat: "avg"}
)

// CauseFigures are what a run should bring besides the figures compared, so
// that the cause of a change can be guessed.
func CauseFigures() []metrics.Figure {
	return []metrics.Figure{meanLatency, meanTTFT, meanITL, meanOSL, meanISL, meanFlight, requestRate, medianTTFT, tailTTFT, errorShare}
}

// both are a figure's means on both sides, NaN where one lacks it.
func (p *cellPair) both(f metrics.Figure) (base, fresh float64) {
	return metrics.Mean(figures(p.base, f)), metrics.Mean(figures(p.fresh, f))
}

// grew is the logarithm of new over base; NaN where it has none.
func (p *cellPair) grew(f metrics.Figure) float64 {
	base, fresh := p.both(f)
	return math.Log(fresh / base)
}

// cause guesses the part: errors first, for they change all else; then the
// part of the mean latency that took most of its change, which is the time to
// the first token, the decode of as many tokens as before, or that of more
// tokens.
func (c *Comparison) cause(pairs []cellPair, at int) (Part, string) {
	p := &pairs[at]
	if base, fresh := p.both(errorShare); math.Abs(fresh-base) >= errorMargin {
		return PartErrors, fmt.Sprintf("errors went from %.1f%% to %.1f%% of the requests: what failed takes no time and no tokens", 100*base, 100*fresh)
	}
	latency, latency2 := p.both(meanLatency)
	ttft, ttft2 := p.both(meanTTFT)
	itl, itl2 := p.both(meanITL)
	osl, osl2 := p.both(meanOSL)
	first, decode, tokens := ttft2-ttft, (itl2-itl)*(osl-1), itl2*(osl2-osl)
	whole := latency2 - latency
	if math.IsNaN(osl + osl2) { // then all that follows the first token is decode
		decode, tokens = whole-first, 0
	}
	if math.IsNaN(first) || math.IsNaN(decode+tokens) {
		if change := p.grew(meanOSL); math.Abs(change) > 0.02 {
			return PartTokens, fmt.Sprintf("answers went from %.0f to %.0f tokens", osl, osl2)
		}
		return PartUnknown, "without streamed answers the time cannot be told apart"
	}
	where := fmt.Sprintf("of %+.1f ms of mean latency, first token %+.1f, decode %+.1f, length of answers %+.1f", whole, first, decode, tokens)
	parts := []struct {
		part Part
		size float64
	}{{"first", first}, {PartDecode, decode}, {PartTokens, tokens}}
	most := slices.MaxFunc(parts, func(a, b struct {
		part Part
		size float64
	},
	) int {
		return cmp.Compare(math.Abs(a.size), math.Abs(b.size))
	})
	switch most.part {
	case PartDecode:
		return PartDecode, "decode: " + where
	case PartTokens:
		return PartTokens, fmt.Sprintf("answers went from %.0f to %.0f tokens: %s", osl, osl2, where)
	}
	if change := p.grew(meanISL); math.Abs(change) > 0.02 && change*first > 0 {
		isl, isl2 := p.both(meanISL)
		return PartTokens, fmt.Sprintf("prompts went from %.0f to %.0f tokens: %s", isl, isl2, where)
	}
	part, how := firstToken(pairs, at)
	return part, how + ": " + where
}

// firstToken tells waiting from prefill. A slower prefill delays the first
// token at every load and for every request; a queue does so at high loads,
// or for the late ones.
func firstToken(pairs []cellPair, at int) (Part, string) {
	p := &pairs[at]
	calm := at
	for i := range pairs {
		if pairs[i].inFlight() < pairs[calm].inFlight() {
			calm = i
		}
	}
	if calm != at {
		here, there := p.grew(meanTTFT), pairs[calm].grew(meanTTFT)
		if !math.IsNaN(here) && !math.IsNaN(there) {
			if there/here >= 0.5 {
				return PartPrefill, "prefill (the first token moved as much at the lowest load)"
			}
			return PartQueue, "queue (the first token did not move so at the lowest load)"
		}
	}
	if p.grew(medianTTFT)/p.grew(tailTTFT) >= 0.5 {
		return PartPrefill, "prefill, by a guess (the median moved like the tail)"
	}
	return PartQueue, "queue, by a guess (the tail moved more than the median)"
}

// inFlight is the mean number of requests in flight in BASE, by Little's law
// where the runs do not say.
func (p *cellPair) inFlight() float64 {
	if n, _ := p.both(meanFlight); !math.IsNaN(n) {
		return n
	}
	rate, _ := p.both(requestRate)
	latency, _ := p.both(meanLatency)
	return rate * latency / 1000
}
