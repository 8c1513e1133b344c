package analyze

import (
	"fmt"

	"loadgen/metrics"
)

// The ratios by which a number counts as grown or as unchanged. They are rules
// of thumb, wide enough for the noise of runs of a few hundred requests.
const (
	grown   = 1.5
	doubled = 2
	flat    = 1.25
	// stalled and strained are the scaling at the most load below which
	// throughput stands still, and below which it falls behind the load. A
	// batch that is not full scales with 0.6 and more.
	stalled  = 0.3
	strained = 0.45
	// longAnswer is the mean of tokens from which on answers that nobody asked
	// for in that length are news.
	longAnswer = 512
)

// A wait is TTFT in excess of that at the least load.
type wait struct {
	onset   int       // the first level from which on TTFT stays grown
	seconds float64   // of all requests
	slots   []float64 // for each level that waits: requests served at once
}

// waits looks for the level of load beyond which TTFT grows and stays grown.
// The number served at once is throughput × time in service (Little's law).
func (s *study) waits() (w wait, ok bool) {
	base := s.base()
	for i := 1; i < len(s.levels); i++ {
		c := &s.levels[i]
		excess := s.excess(c)
		if float64(c.TTFT.Mean) < grown*float64(base.TTFT.Mean) || excess < 0.05*float64(base.Latency.Mean) {
			w, ok = wait{}, false
			continue
		}
		if !ok {
			w.onset, ok = i, true
		}
		w.seconds += excess * c.ok()
		w.slots = append(w.slots, c.rate()*(float64(c.Latency.Mean)-excess))
	}
	return w, ok
}

// excess is by how much a level's mean TTFT exceeds that of the least load,
// less what longer prompts explain.
func (s *study) excess(c *CellFacts) float64 {
	base := s.base()
	longer := positive(float64(s.caches[0].Prefill.Seconds)) * (c.PromptMean - base.PromptMean)
	return positive(float64(c.TTFT.Mean-base.TTFT.Mean) - positive(longer))
}

// waitsMost reports whether requests at the most load wait longer than they
// are served, where two levels far apart do not show that throughput stands
// still by now.
func (s *study) waitsMost() bool {
	top := s.top()
	return s.step() < 2*stalled && s.excess(top) > float64(top.Latency.Mean)/2 && !s.prefillMayBind(top)
}

// queue looks for waiting in front of the server's batch: beyond a level of
// load throughput stands still and TTFT grows, while the tokens, once they
// come, come no slower.
func (s *study) queue() []Finding {
	if len(s.levels) < 2 || !(s.step() < stalled || s.waitsMost()) {
		return nil // while throughput follows the load, a longer TTFT is the price of sharing
	}
	w, ok := s.waits()
	if !ok || s.prefillBusy(s.top()) {
		return nil
	}
	base, top, first := s.base(), s.top(), &s.levels[w.onset]
	if w.onset == len(s.levels)-1 {
		// A single load with a longer TTFT shows no course to judge by: it has
		// to stand out against the load before it.
		first = &s.levels[w.onset-1]
	}
	slower := float64(top.ITL.Mean / first.ITL.Mean)
	// A longer step of the batch delays first and later tokens alike; what
	// waits in front of the batch delays the first alone.
	if slower > flat && float64(top.TTFT.Mean/first.TTFT.Mean) <= 2*slower {
		return nil // decode suffers as much: another cause
	}
	f := Finding{
		ID: "queue", Control: Deployment, Confidence: High, Seconds: Number(w.seconds), Tokens: undefined,
		Evidence: []Evidence{
			{"mean TTFT at the least load", base.TTFT.Mean, "s", base.where()},
			{"mean TTFT where it begins to grow", first.TTFT.Mean, "s", first.where()},
			{"mean TTFT at the most load", top.TTFT.Mean, "s", top.where()},
			{"mean ITL where TTFT begins to grow", first.ITL.Mean, "s", first.where()},
			{"mean ITL at the most load", top.ITL.Mean, "s", top.where()},
			{"throughput where TTFT begins to grow", Number(first.rate()), "requests/s", first.where()},
			{"throughput at the most load", Number(top.rate()), "requests/s", top.where()},
			{"scaling at the most load: 1 follows the load, 0 stands still", Number(s.step()), "exponent", top.where()},
		},
	}
	slots := metrics.Percentile(metrics.Sorted(w.slots), 50)
	if slower > flat || s.prefillMayBind(top) {
		// That they wait is sure; that they wait for a place in the batch is not.
		f.Confidence = Medium
		f.Title = fmt.Sprintf("throughput stands still and requests wait: beyond %s more load only takes longer", first.where())
		f.Try = []string{
			"add replicas, or admit less load at once",
			"look whether requests wait for a place in the batch (vLLM: num_requests_waiting) or for prefill, which faster prefill would help",
		}
	} else {
		f.Title = fmt.Sprintf("requests queue before they are served: about %.0f are served at once, more load only waits", slots)
		f.Try = []string{
			raiseLimit,
			"add replicas, or admit no more at once than are served",
		}
		f.Evidence = append(f.Evidence, Evidence{"served at once: throughput × (latency − wait)", Number(slots), "requests", "all cells that wait"})
	}
	if top.Waiting >= 0 {
		f.Evidence = append(f.Evidence, Evidence{"requests waiting, as the server says", Number(top.Waiting), "requests", top.where()})
	}
	return []Finding{f}
}

// decode looks at the time between tokens: does it grow with a load that
// throughput no longer follows, and does it dominate the latency.
func (s *study) decode() []Finding {
	if len(s.levels) == 0 {
		return nil
	}
	var out []Finding
	base, top := s.base(), s.top()
	if float64(top.ITL.Mean) > doubled*float64(base.ITL.Mean) && s.step() < strained {
		seconds := 0.0
		for i := range s.levels {
			c := &s.levels[i]
			seconds += positive(float64(c.ITL.Mean-base.ITL.Mean)*(c.OutputMean-1)) * c.ok()
		}
		out = append(out, Finding{
			ID: "slow-decode-under-load", Control: Deployment, Confidence: Medium, Seconds: Number(seconds), Tokens: undefined,
			Title: fmt.Sprintf("tokens come %.1f times slower at the most load than at the least", float64(top.ITL.Mean/base.ITL.Mean)),
			Try: []string{
				"limit the batch (vLLM: --max-num-seqs) if latency matters more than throughput",
				"add replicas; look for prefills that interrupt decode (chunked prefill)",
			},
			Evidence: []Evidence{
				{"mean ITL at the least load", base.ITL.Mean, "s", base.where()},
				{"mean ITL at the most load", top.ITL.Mean, "s", top.where()},
				{"throughput at the least load", Number(base.rate()), "requests/s", base.where()},
				{"throughput at the most load", Number(top.rate()), "requests/s", top.where()},
				{"scaling at the most load: 1 follows the load, 0 stands still", Number(s.step()), "exponent", top.where()},
			},
		})
	}
	// That writing takes most of the time is the rule, and who asked for answers
	// of a length knows it.
	if share := 1 - float64(base.TTFT.Mean/base.Latency.Mean); share > 0.6 && !base.OutputAsked && base.OutputMean >= longAnswer {
		out = append(out, Finding{
			ID: "decode-dominates", Control: Model, Confidence: High, Seconds: undefined, Tokens: undefined,
			Title: fmt.Sprintf("%.0f %% of the latency at the least load is writing answers of %.0f tokens", 100*share, base.OutputMean),
			Try: []string{
				"ask for shorter answers where they serve as well",
				"a smaller or quantized model, or speculative decoding",
			},
			Evidence: []Evidence{
				{"decode's share of the latency", Number(share), "ratio", base.where()},
				{"mean ITL", base.ITL.Mean, "s", base.where()},
				{"mean output", Number(base.OutputMean), "tokens", base.where()},
			},
		})
	}
	return out
}
