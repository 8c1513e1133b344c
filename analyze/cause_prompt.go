package analyze

import "fmt"

// dominant is the share of a latency that a cause must take to be named.
const dominant = 0.5

// prefillBusy reports whether one prefill after another fills all the time at
// a load: then it is prefill that requests wait for.
func (s *study) prefillBusy(c *CellFacts) bool {
	fit := s.caches[0].Prefill
	if !trusted(fit) {
		return false
	}
	use := c.rate() * float64(fit.Seconds) * c.PromptMean
	return use > 0.8 && use < 1.05
}

// prefillMayBind reports whether prefill can be what limits throughput at a
// load, by the most that a prefill can take: the TTFT at the least load.
func (s *study) prefillMayBind(c *CellFacts) bool {
	use := c.rate() * float64(s.base().TTFT.Mean)
	return use > 0.4 && use < 1.05
}

// trusted reports whether a prefill fit explains TTFT well enough to use.
func trusted(fit PrefillFit) bool { return fit.Seconds > 0 && fit.R2 >= 0.5 && fit.N >= 10 }

// prefill looks for prompts that take long to read even where nothing else
// runs: TTFT in proportion to the prompt's tokens at the least load.
func (s *study) prefill() []Finding {
	if len(s.loaded) == 0 {
		return nil
	}
	base, cache := &s.loaded[0], s.caches[0]
	fit := cache.Prefill
	if !trusted(fit) {
		return nil
	}
	own := float64(fit.Seconds) * computedTokens(base, cache)
	if own < float64(base.TTFT.Mean)/2 || own < dominant*float64(base.Latency.Mean) {
		return nil
	}
	seconds := 0.0
	for i := range s.loaded {
		c := &s.loaded[i]
		// What a cache could serve is the finding of the shared prefix.
		rest := computedTokens(c, s.caches[i])*c.ok() - s.uncached(i)
		seconds += positive(float64(fit.Seconds) * rest)
		if s.prefillBusy(s.top()) {
			seconds += s.excess(c) * c.ok()
		}
	}
	confidence := Medium
	if fit.R2 >= 0.8 {
		confidence = High
	}
	return []Finding{{
		ID: "slow-prefill", Control: Deployment, Confidence: confidence, Seconds: Number(seconds), Tokens: undefined,
		Title: fmt.Sprintf("prefill takes %.0f %% of the latency already at the least load: %.2f ms for each prompt token (%.0f tokens/s)",
			100*own/float64(base.Latency.Mean), 1000*float64(fit.Seconds), 1/float64(fit.Seconds)),
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
// not, as far as can be told. Their share is that of the calls that the trace
// has.
func (s *study) uncached(i int) float64 {
	c := s.caches[i]
	if !c.Bound.Defined() || !c.tells() {
		return 0
	}
	served := 0.0
	if c.CachedTokens != nil {
		served = float64(*c.CachedTokens)
	}
	return positive(float64(c.Bound)-served) * s.scale(i)
}

// scale is how many requests stand behind each call of a cell's trace, which
// may have been cut.
func (s *study) scale(i int) float64 {
	return max(1, float64(s.loaded[i].Requests)/float64(max(1, s.caches[i].Calls)))
}

// tells reports whether it is known which prompt tokens were computed. Where
// the server does not say, TTFT has to: it must follow the prompt's tokens,
// and be long enough for all of them.
func (c *PrefixCache) tells() bool {
	if c.CachedTokens != nil {
		return true
	}
	return trusted(c.Prefill) && c.Prefill.Tokens == computedAll && c.Prefill.Intercept >= 0
}

// untold reports whether prompts share what a cache could serve, and nothing
// says whether one does.
func (s *study) untold() bool {
	for _, c := range s.caches {
		if c.Bound.Defined() && c.BoundRate > shareOfPrompts && !c.tells() && c.Prefill.Tokens != computedBound {
			return true
		}
	}
	return false
}

// shareOfPrompts is the least share of the prompt tokens that is worth a word.
const shareOfPrompts = 0.1

// sharedPrefix looks for prompts that begin alike and are computed anew.
func (s *study) sharedPrefix() []Finding {
	var tokens, prompt, typical float64
	told := false
	for i, c := range s.caches {
		tokens += s.uncached(i)
		prompt += float64(c.PromptTokens) * s.scale(i)
		typical = max(typical, positive(float64(c.SharedLength)))
		told = told || c.CachedTokens != nil
	}
	if prompt == 0 || tokens < shareOfPrompts*prompt {
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
		f.Evidence = append(f.Evidence,
			Evidence{"seconds per prompt token", base.Prefill.Seconds, "s/token", s.base().where() + " prefix_cache.prefill_fit"},
			Evidence{"share of TTFT's variance that all prompt tokens explain", base.Prefill.R2, "R²", s.base().where() + " prefix_cache.prefill_fit"})
	}
	return []Finding{f}
}
