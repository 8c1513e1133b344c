package metrics_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

func TestTheServersCountOfAPromptIsItsLengthWhereAsked(t *testing.T) {
	for name, row := range map[string]struct {
		server      bool
		local, told int
		want        float64
		source      string
	}{
		"the text, by the tokenizer":           {false, 20, 27, 20, "tokenizer, text without template"},
		"the server's, where it is asked for":  {true, 20, 27, 27, "server usage"},
		"the text, where the server is silent": {true, 20, -1, 20, "tokenizer, text without template"},
		"the server's, where it is all":        {false, 0, 27, 27, "server usage"},
	} {
		c, err := metrics.NewCollector(metrics.Facts{ServerInput: row.server})
		if err != nil {
			t.Fatal(err)
		}
		c.Add(&loadgen.Record{
			Request: &loadgen.Request{InputTokens: row.local}, Status: 200, Took: time.Second, Ended: time.Second,
			Usage: loadgen.Usage{PromptTokens: row.told, CompletionTokens: -1, ReasoningTokens: -1, CachedTokens: -1},
		})
		s := c.Summary(loadgen.Outcome{Issued: 1}, loadgen.Health{}, loadgen.Transport{})
		if m := s.Metric("input_sequence_length"); m == nil || m.Stats.Avg != row.want || s.Sources.ISL != row.source {
			t.Errorf("%s: got %+v from %q, want %v from %q", name, m, s.Sources.ISL, row.want, row.source)
		}
	}
}
