package analyze

import (
	"fmt"

	"loadgen/metrics"
)

// The ratios by which a number counts as grown or as unchanged. They are rules
// of thumb, wide enough for the noise of runs of a few hundred requests.
const (
	grown = 1.5
	flat  = 1.25
	// worthwhile is the share of a latency that a cause must take to be named.
	worthwhile = 0.2
)

// queue looks for waiting in front of the server's batch: beyond a level of
// load TTFT grows while the tokens, once they come, come no slower. The number
// served at once is throughput × time in service (Little's law).
func (s *study) queue() []Finding {
	if len(s.loaded) < 2 {
		return nil
	}
	base, top := s.base(), s.top()
	onset := -1
	var seconds float64
	var slots []float64
	for i := 1; i < len(s.loaded); i++ {
		c := &s.loaded[i]
		excess := s.excess(i)
		if float64(c.TTFT.Mean) < grown*float64(base.TTFT.Mean) || excess < 0.05*float64(base.Latency.Mean) {
			onset, seconds, slots = -1, 0, nil
			continue
		}
		if onset < 0 {
			onset = i
		}
		seconds += excess * c.ok()
		slots = append(slots, c.Throughput*(float64(c.Latency.Mean)-excess))
	}
	if onset < 0 {
		return nil
	}
	first := &s.loaded[onset]
	if onset == len(s.loaded)-1 {
		// A single load with a longer TTFT shows no course to judge by: it has
		// to stand out against the load before it.
		first = &s.loaded[onset-1]
	}
	plateau := top.Throughput <= flat*first.Throughput
	slower := float64(top.ITL.Mean / first.ITL.Mean)
	// A longer step of the batch delays first and later tokens alike; what
	// waits in front of the batch delays the first alone.
	ahead := plateau && float64(top.TTFT.Mean/first.TTFT.Mean) > 2*slower
	if slower > flat && !ahead || s.prefillBusy(top) {
		return nil // decode suffers as much, or prefill is what they wait for: other causes
	}
	f := Finding{
		ID: "queue", Control: Deployment, Confidence: Medium, Seconds: Number(seconds), Tokens: undefined,
		Title: fmt.Sprintf("requests queue before they are served: about %.0f are served at once, more load only waits",
			metrics.Percentile(metrics.Sorted(slots), 50)),
		Try: []string{
			"raise the server's limit of concurrent sequences (vLLM: --max-num-seqs) if memory allows",
			"add replicas, or admit no more at once than are served",
		},
		Evidence: []Evidence{
			{"mean TTFT at the least load", base.TTFT.Mean, "s", base.where()},
			{"mean TTFT where it begins to grow", first.TTFT.Mean, "s", first.where()},
			{"mean TTFT at the most load", top.TTFT.Mean, "s", top.where()},
			{"mean ITL where TTFT begins to grow", first.ITL.Mean, "s", first.where()},
			{"mean ITL at the most load", top.ITL.Mean, "s", top.where()},
			{"throughput where TTFT begins to grow", Number(first.Throughput), "requests/s", first.where()},
			{"throughput at the most load", Number(top.Throughput), "requests/s", top.where()},
			{"served at once: throughput × (latency − wait)", Number(metrics.Percentile(metrics.Sorted(slots), 50)), "requests", "all cells that wait"},
		},
	}
	if plateau || top.Waiting >= 1 {
		f.Confidence = High
	}
	if top.Waiting >= 0 {
		f.Evidence = append(f.Evidence, Evidence{"requests waiting, as the server says", Number(top.Waiting), "requests", top.where()})
	}
	return []Finding{f}
}

// excess is by how much a cell's mean TTFT exceeds that of the least load,
// less what longer prompts explain.
func (s *study) excess(i int) float64 {
	c, base := &s.loaded[i], s.base()
	longer := positive(float64(s.caches[0].Prefill.Seconds)) * (c.PromptMean - base.PromptMean)
	return positive(float64(c.TTFT.Mean-base.TTFT.Mean) - positive(longer))
}

// prefillBusy reports whether one prefill after another fills all the time at
// a load: then it is prefill that requests wait for.
func (s *study) prefillBusy(c *CellFacts) bool {
	fit := s.caches[0].Prefill
	if !trusted(fit) {
		return false
	}
	use := c.Throughput * float64(fit.Seconds) * c.PromptMean
	return use > 0.8 && use < 1.05
}

// trusted reports whether a prefill fit explains TTFT well enough to use.
func trusted(fit PrefillFit) bool { return fit.Seconds > 0 && fit.R2 >= 0.5 && fit.N >= 10 }

// prefill looks for prompts that take long to read even where nothing else
// runs: TTFT in proportion to the prompt's tokens at the least load.
func (s *study) prefill() []Finding {
	if len(s.loaded) == 0 {
		return nil
	}
	base, cache := s.base(), s.caches[0]
	fit := cache.Prefill
	if !trusted(fit) {
		return nil
	}
	own := float64(fit.Seconds) * computedTokens(base, cache)
	if own < float64(base.TTFT.Mean)/2 || own < worthwhile*float64(base.Latency.Mean) {
		return nil
	}
	seconds := 0.0
	for i := range s.loaded {
		c := &s.loaded[i]
		// What a cache could serve is the finding of the shared prefix.
		rest := computedTokens(c, s.caches[i])*c.ok() - s.uncached(i)
		seconds += positive(float64(fit.Seconds) * rest)
		if s.prefillBusy(s.top()) {
			seconds += s.excess(i) * c.ok()
		}
	}
	confidence := Medium
	if fit.R2 >= 0.8 {
		confidence = High
	}
	return []Finding{{
		ID: "slow-prefill", Control: Deployment, Confidence: confidence, Seconds: Number(seconds), Tokens: undefined,
		Title: fmt.Sprintf("prefill is slow: %.2f ms for each prompt token (%.0f tokens/s) already at the least load",
			1000*float64(fit.Seconds), 1/float64(fit.Seconds)),
		Try: []string{
			"shorten the prompts, or what they repeat",
			"use faster or more accelerators for prefill: tensor parallelism, prefill apart from decode, lower precision",
			"try chunked prefill where decode should not wait for it",
		},
		Evidence: []Evidence{
			{"seconds per prompt token", fit.Seconds, "s/token", base.where() + " prefix_cache.prefill_fit"},
			{"share of TTFT's variance that prompt tokens explain", fit.R2, "R²", base.where() + " prefix_cache.prefill_fit"},
			{"requests fitted", Number(fit.N), "count", base.where() + " prefix_cache.prefill_fit"},
			{"mean TTFT at the least load", base.TTFT.Mean, "s", base.where()},
			{"prefill's share of the latency at the least load", Number(own) / base.Latency.Mean, "ratio", base.where()},
		},
	}}
}

// computedTokens are the prompt tokens per request that the server computed.
func computedTokens(c *CellFacts, cache *PrefixCache) float64 {
	tokens := c.PromptMean
	switch {
	case cache.CachedTokens != nil && cache.Calls > 0:
		tokens -= float64(*cache.CachedTokens) / float64(cache.Calls)
	case cache.Prefill.Tokens == computedBound && cache.Calls > 0:
		tokens -= positive(float64(cache.Bound)) / float64(cache.Calls)
	}
	return positive(tokens)
}

// uncached are the tokens of a cell that a cache could have served and did
// not, as far as can be told.
func (s *study) uncached(i int) float64 {
	c := s.caches[i]
	if !c.Bound.Defined() || c.Prefill.Tokens == computedBound {
		return 0
	}
	served := 0.0
	if c.CachedTokens != nil {
		served = float64(*c.CachedTokens)
	}
	return positive(float64(c.Bound) - served)
}

// sharedPrefix looks for prompts that begin alike and are computed anew.
func (s *study) sharedPrefix() []Finding {
	var tokens, prompt, typical float64
	told := false
	for i, c := range s.caches {
		tokens += s.uncached(i)
		prompt += float64(c.PromptTokens)
		typical = max(typical, positive(float64(c.SharedLength)))
		told = told || c.CachedTokens != nil
	}
	if prompt == 0 || tokens < 0.1*prompt {
		return nil
	}
	base := s.caches[0]
	f := Finding{
		ID: "shared-prefix", Control: Deployment, Confidence: Medium, Tokens: Number(tokens), Seconds: undefined,
		Title: fmt.Sprintf("prompts share a prefix of about %.0f tokens that is computed again and again", typical),
		Try: []string{
			"turn on prefix caching (vLLM: --enable-prefix-caching) and give it room",
			"put what prompts share first and what differs last",
			"route requests of one prefix to one replica",
		},
		Evidence: []Evidence{
			{"tokens a prefix cache could have served", Number(tokens), "tokens", "all cells prefix_cache.cacheable_tokens"},
			{"of all prompt tokens", Number(tokens / prompt), "ratio", "all cells"},
			{"shared prefix, median", Number(typical), "tokens", "all cells prefix_cache.typical_shared_prefix_tokens"},
			{"blocks of", Number(base.BlockTokens), "tokens", "prefix_cache.block_tokens"},
		},
	}
	if told {
		f.Confidence = High
		f.Evidence = append(f.Evidence, Evidence{"share the server cached", base.ServerRate, "ratio", s.base().where() + " prefix_cache.server_hit_rate"})
	}
	if trusted(base.Prefill) {
		f.Seconds = Number(tokens) * base.Prefill.Seconds
		f.Confidence = High
		f.Evidence = append(f.Evidence,
			Evidence{"seconds per prompt token", base.Prefill.Seconds, "s/token", s.base().where() + " prefix_cache.prefill_fit"},
			Evidence{"share of TTFT's variance that all prompt tokens explain", base.Prefill.R2, "R²", s.base().where() + " prefix_cache.prefill_fit"})
	}
	return []Finding{f}
}

// decode looks at the time between tokens: does it grow with the load, and
// does it dominate the latency.
func (s *study) decode() []Finding {
	if len(s.loaded) == 0 {
		return nil
	}
	var out []Finding
	base, top := s.base(), s.top()
	if float64(top.ITL.Mean) > grown*float64(base.ITL.Mean) {
		seconds := 0.0
		for i := range s.loaded {
			c := &s.loaded[i]
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
				{"throughput at the least load", Number(base.Throughput), "requests/s", base.where()},
				{"throughput at the most load", Number(top.Throughput), "requests/s", top.where()},
			},
		})
	}
	if share := 1 - float64(base.TTFT.Mean/base.Latency.Mean); share > 0.6 {
		out = append(out, Finding{
			ID: "decode-dominates", Control: Model, Confidence: High, Seconds: undefined, Tokens: undefined,
			Title: fmt.Sprintf("%.0f %% of the latency at the least load is writing the answer", 100*share),
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
