package metrics_test

import (
	"cmp"
	"strings"
	"testing"

	"loadgen"
	"loadgen/metrics"
)

// Prompts of 100 tokens, to which the server's template adds 10. Another server's
// tokenizer makes six of each token: 600, of which 128 may be those of a template.
func TestAWarmCacheIsTold(t *testing.T) {
	for _, row := range []struct {
		name                 string
		shared, turn, cached int
		prompt               int // by the server's count, 110 where it is left out
		resent               bool
		degraded, noted      bool
	}{
		{name: "prompts that the server has seen", cached: 104, degraded: true},
		{name: "prompts of which the batch has sent all before", cached: 104, resent: true, noted: true},
		{name: "nothing cached", cached: 0},
		{name: "a server that does not say", cached: -1},
		{name: "what the template begins with", cached: 10},
		{name: "a prefix in common", shared: 60, cached: 64},
		{name: "more than a prefix in common", shared: 60, cached: 96, degraded: true}, // 26 of 110
		{name: "a twentieth more", shared: 60, cached: 75},
		{name: "a later turn", turn: 1, cached: 104},
		{name: "an entry that the dataset has again", shared: 100, cached: 110},
		{name: "a prefix in common, by another tokenizer", shared: 80, prompt: 600, cached: 480},
		{name: "more than that, by another tokenizer", shared: 80, prompt: 600, cached: 592, degraded: true}, // 87 of 600
	} {
		s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 10}, Resent: row.resent}, steadyRun(func(_ int, r *loadgen.Record) {
			r.Request = &loadgen.Request{InputTokens: 100, SharedTokens: row.shared, Turn: row.turn}
			r.Usage.PromptTokens, r.Usage.CachedTokens = cmp.Or(row.prompt, 110), row.cached
		})...)
		noted := len(s.Validity.Notes) > 0 && strings.HasPrefix(s.Validity.Notes[0], "a warm cache: 94.5 % of the prompt tokens came from the server's cache, 85.5 % beyond")
		if got := has(s.Validity, "warm_cache"); got != row.degraded || noted != row.noted {
			t.Errorf("%s: told %t, notes %q", row.name, got, s.Validity.Notes)
		}
	}
}
