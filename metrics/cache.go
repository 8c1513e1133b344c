package metrics

import (
	"fmt"

	"loadgen"
)

// A cacheUse is how many tokens of prompts a server took from its cache, of
// successful requests whose reply says so.
type cacheUse struct {
	prompt, cached, beyond int
	// all are the prompt tokens of all successful requests, bound those of them with
	// which they begin like another, at most: text those of them that are no chat
	// template's, of which it is not known how much stands before the text.
	all, bound, text float64
}

// mostTemplate is the most tokens that a chat template of unknown length is
// taken to begin with: what the server counts beyond them is another tokenizer's.
const mostTemplate = 128

// add takes in a reply. A turn behind the first begins like the one before it, and
// all prompts of a server begin with what its chat template has in common; what
// else of one may be cached without an earlier run, its Request says.
func (u *cacheUse) add(r *loadgen.Record) {
	u.addBound(r)
	if r.Usage.CachedTokens < 0 || r.Usage.PromptTokens <= 0 || r.Request == nil {
		return
	}
	u.prompt += r.Usage.PromptTokens
	u.cached += r.Usage.CachedTokens
	if r.Request.Turn > 0 {
		return
	}
	template := r.Request.TemplateTokens
	switch {
	case r.Request.InputTokens == 0:
		template = r.Usage.PromptTokens // nothing is known of the prompt
	case template == 0:
		template = min(max(r.Usage.PromptTokens-r.Request.InputTokens, 0), mostTemplate)
	}
	shared := r.Request.SharedTokens
	if text := r.Usage.PromptTokens - template; text > r.Request.InputTokens && r.Request.InputTokens > 0 {
		shared = shared * text / r.Request.InputTokens // as the server's tokenizer counts them
	}
	u.beyond += max(r.Usage.CachedTokens-shared-template, 0)
}

// addBound takes in what of a prompt a server may have cached.
func (u *cacheUse) addBound(r *loadgen.Record) {
	if r.Request == nil || r.Request.InputTokens <= 0 {
		return
	}
	all := float64(r.Request.InputTokens + r.Request.TemplateTokens)
	u.all += all
	if r.Request.Turn > 0 {
		u.bound += all
		u.text += float64(r.Request.InputTokens)
		return
	}
	u.bound += float64(r.Request.SharedTokens + r.Request.TemplateTokens)
	u.text += float64(r.Request.SharedTokens)
}

// judgeCache holds what came from the server's cache against what the run's own
// prompts can share. Prompts that the batch itself has sent before are told, and
// are as they were asked for.
func (c *Collector) judgeCache(j *judge) {
	u := c.profiling.cache
	if u.prompt == 0 {
		return
	}
	beyond := float64(u.beyond) / float64(u.prompt)
	text := fmt.Sprintf("a warm cache: %.3g %% of the prompt tokens came from the server's cache, %.3g %% beyond what prompts of this run begin with in common", 100*float64(u.cached)/float64(u.prompt), 100*beyond)
	const figures = "TTFT and input throughput are not those of new prompts"
	if c.facts.Resent && beyond > j.limits["warm_cache"].Degraded {
		j.note("%s: the batch has sent them before; %s", text, figures)
		return
	}
	j.sign("warm_cache", beyond)
	j.say("warm_cache", text+": the server has seen them before; "+figures+"; see cache_bust")
}
