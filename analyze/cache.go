package analyze

import (
	"cmp"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

// A PrefixCache is what a server's prefix cache did and could at most do.
type PrefixCache struct {
	Calls        int    `json:"calls"`
	PromptTokens int    `json:"prompt_tokens"` // of the calls that say
	CachedTokens *int   `json:"server_cached_tokens"`
	ServerRate   Number `json:"server_hit_rate"` // cached ÷ prompt tokens, as the server said

	// The bound is what a cache that forgets nothing would serve: whole blocks
	// that an earlier prompt of the same model began with. Concurrent prompts
	// may miss it, so it is an upper bound.
	Bound        Number `json:"cacheable_tokens"`
	BoundRate    Number `json:"cacheable_share"`
	BlockTokens  int    `json:"block_tokens"`
	BlockBytes   Number `json:"block_bytes"` // where blocks are of text; null where of tokens
	BlocksOf     string `json:"blocks_of"`   // "tokens" or "text bytes"
	SharedLength Number `json:"typical_shared_prefix_tokens"`

	Prefill PrefillFit `json:"prefill_fit"`
	// SavedSeconds is the prefill time that serving the bound would save
	// beyond what the server cached already: tokens × fitted seconds per token.
	SavedSeconds Number `json:"prefill_seconds_saved"`

	perCall []cacheable
}

// A PrefillFit is TTFT as a straight line over the prompt tokens that the
// server had to compute.
type PrefillFit struct {
	Seconds   Number `json:"seconds_per_token"`
	Intercept Number `json:"intercept_seconds"`
	R2        Number `json:"r_squared"`
	N         int    `json:"n"`
	// Tokens says which were taken as computed: prompt tokens less what the
	// server said was cached, all of them where it said nothing, or less the
	// bound where that explains the times better.
	Tokens string `json:"tokens"`
}

// A cacheable is a call with the tokens that the bound allows to be cached.
type cacheable struct {
	call   *loadgen.Call
	tokens float64
}

// assumedBytes is the length of a token where no call tells both.
const assumedBytes = 4.0

// CacheBound measures how much of the prompts a prefix cache could serve.
func CacheBound(tr *loadgen.Trace, opt Options) *PrefixCache {
	return newView(tr, opt).cacheBound()
}

// cacheBound is worked out once: the findings ask for it too.
func (v *view) cacheBound() *PrefixCache {
	if v.cache == nil {
		v.cache = v.boundCache()
	}
	return v.cache
}

func (v *view) boundCache() *PrefixCache {
	block := max(1, v.opt.BlockTokens)
	out := &PrefixCache{
		BlockTokens: block, BlocksOf: "text bytes", BlockBytes: undefined, ServerRate: undefined,
		Bound: undefined, BoundRate: undefined, SavedSeconds: undefined, SharedLength: undefined,
	}
	cached, told, prompt := 0, 0, 0
	for i, c := range v.calls {
		if !v.leaf[i] || c.Kind != loadgen.LLMCall {
			continue
		}
		out.Calls++
		out.PromptTokens += max(0, c.PromptTokens)
		if c.CachedTokens >= 0 && c.PromptTokens > 0 {
			told++
			cached += c.CachedTokens
			prompt += c.PromptTokens
		}
	}
	if told > 0 {
		out.CachedTokens = &cached
		out.ServerRate = Number(float64(cached) / float64(prompt))
	}
	if v.opt.Encode != nil {
		out.BlocksOf = "tokens"
	}
	for _, p := range v.prompts() {
		out.perCall = append(out.perCall, p.cacheable(block, v.opt.Encode, out)...)
	}
	slices.SortFunc(out.perCall, func(a, b cacheable) int { return cmp.Compare(a.call.Start, b.call.Start) })
	var total, sum float64
	var shared []float64
	for _, x := range out.perCall {
		total += promptTokens(x.call)
		sum += x.tokens
		if x.tokens > 0 {
			shared = append(shared, x.tokens)
		}
	}
	if total > 0 {
		out.Bound, out.BoundRate = Number(sum), Number(sum/total)
		out.SharedLength = Number(metrics.Percentile(metrics.Sorted(shared), 50))
	}
	out.Prefill = fitPrefill(v, out.perCall)
	if out.Prefill.Seconds > 0 && out.Bound.Defined() && out.Prefill.Tokens != computedBound {
		out.SavedSeconds = max(0, out.Bound-Number(cached)) * out.Prefill.Seconds
	}
	return out
}

// promptTokens is the server's count, else an estimate from the text.
func promptTokens(c *loadgen.Call) float64 {
	if c.PromptTokens >= 0 {
		return float64(c.PromptTokens)
	}
	return float64(len(c.Input)) / assumedBytes
}

// cacheable returns for each call of a model with a text the tokens in whole
// blocks that an earlier one began with. The last token of a prompt is always
// computed, so it cannot be part of them.
func (p *prompts) cacheable(block int, encode func(string) []int, out *PrefixCache) []cacheable {
	texts := slices.DeleteFunc(slices.Clone(p.calls), func(c *loadgen.Call) bool { return c.Input == "" })
	if len(texts) == 0 {
		return nil
	}
	// shared[i] and length[i] are in units: bytes, or tokens where we can count.
	shared := p.shared[len(p.calls)-len(texts):] // texts sort behind the empty ones
	perToken := bytesPerToken(texts)
	length := make([]float64, len(texts))
	for i, c := range texts {
		length[i] = float64(len(c.Input))
	}
	if encode != nil {
		texts, shared, length = sortTokens(texts, encode)
		perToken = 1
	} else {
		out.BlockBytes = Number(perToken * float64(block))
	}
	best := sharedWithEarlier(texts, shared)
	result := make([]cacheable, len(texts))
	for i, c := range texts {
		size := perToken * float64(block)
		usable := min(float64(best[i]), length[i]-perToken)
		blocks := max(0, int(usable/size+1e-9))
		result[i] = cacheable{c, float64(blocks * block)}
	}
	return result
}

// bytesPerToken is the mean over the calls that tell both lengths.
func bytesPerToken(calls []*loadgen.Call) float64 {
	bytes, tokens := 0.0, 0.0
	for _, c := range calls {
		if c.PromptTokens > 0 {
			bytes += float64(len(c.Input))
			tokens += float64(c.PromptTokens)
		}
	}
	if tokens == 0 {
		return assumedBytes
	}
	return bytes / tokens
}

// sortTokens is sortPrompts for token ids.
func sortTokens(calls []*loadgen.Call, encode func(string) []int) (sorted []*loadgen.Call, shared []int32, length []float64) {
	type encoded struct {
		call *loadgen.Call
		ids  []int
	}
	all := make([]encoded, len(calls))
	for i, c := range calls {
		all[i] = encoded{c, encode(c.Input)}
	}
	slices.SortStableFunc(all, func(a, b encoded) int { return slices.Compare(a.ids, b.ids) })
	sorted, shared, length = make([]*loadgen.Call, len(all)), make([]int32, len(all)), make([]float64, len(all))
	for i, e := range all {
		sorted[i], length[i] = e.call, float64(len(e.ids))
		if i > 0 {
			n := int32(0)
			for prev := all[i-1].ids; int(n) < min(len(prev), len(e.ids)) && prev[n] == e.ids[n]; n++ {
			}
			shared[i] = n
		}
	}
	return sorted, shared, length
}

// sharedWithEarlier returns for each call, given in order of text with the
// length it shares with its neighbour before, the longest prefix it shares
// with any call that started earlier. Calls are taken out of a linked list
// from the last to start to the first: the neighbours that are left started
// earlier, and the text shared across a hole is the least of those it joined.
func sharedWithEarlier(calls []*loadgen.Call, shared []int32) []int32 {
	n := len(calls)
	byStart := make([]int32, n)
	for i := range byStart {
		byStart[i] = int32(i)
	}
	slices.SortStableFunc(byStart, func(a, b int32) int { return cmp.Compare(calls[a].Start, calls[b].Start) })
	// Position i+1 is call i; 0 and n+1 are the list's ends. with[i] is what i
	// shares with the one before it in the list.
	before, after, with := make([]int32, n+2), make([]int32, n+2), make([]int32, n+2)
	for i := range n {
		before[i+1], after[i+1], with[i+1] = int32(i), int32(i+2), shared[i]
	}
	with[1] = 0
	best := make([]int32, n)
	for k := n - 1; k >= 0; k-- {
		i := byStart[k] + 1
		left, right := before[i], after[i]
		best[i-1] = max(with[i], with[right])
		after[left], before[right] = right, left
		with[right] = min(with[i], with[right])
	}
	return best
}

// The three readings of which prompt tokens were computed.
const (
	computedServer = "prompt tokens less those the server reported cached"
	computedAll    = "prompt tokens"
	computedBound  = "prompt tokens less those a prefix cache could serve"
)

// fitPrefill fits TTFT on the computed prompt tokens of successful calls.
// Where the server says nothing of its cache, both readings are tried: if the
// times follow the uncached tokens better, a cache is at work.
func fitPrefill(v *view, bound []cacheable) PrefillFit {
	var all, less, ttft, lessTTFT []float64
	reading := computedAll
	for i, c := range v.calls {
		t, ok := ttftOf(c)
		if !ok || !v.leaf[i] || c.Failed || c.PromptTokens < 0 || c.Kind != loadgen.LLMCall {
			continue
		}
		tokens := float64(c.PromptTokens)
		if c.CachedTokens >= 0 {
			reading = computedServer
			tokens -= float64(c.CachedTokens)
		}
		all, ttft = append(all, tokens), append(ttft, t)
	}
	for _, x := range bound {
		if t, ok := ttftOf(x.call); ok && !x.call.Failed && x.call.PromptTokens >= 0 {
			less, lessTTFT = append(less, float64(x.call.PromptTokens)-x.tokens), append(lessTTFT, t)
		}
	}
	fit, ok := leastSquares(all, ttft)
	if reading == computedAll && len(less) == len(all) {
		if with, good := leastSquares(less, lessTTFT); good && with.Slope > 0 && (!ok || with.R2 > fit.R2+0.1) {
			fit, ok, reading = with, true, computedBound
		}
	}
	out := PrefillFit{Seconds: undefined, Intercept: undefined, R2: undefined, N: len(all), Tokens: reading}
	if ok {
		out.Seconds, out.Intercept, out.R2 = Number(fit.Slope), Number(fit.Intercept), Number(fit.R2)
	}
	return out
}
