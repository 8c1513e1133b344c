package compare_test

import (
	"strings"
	"testing"

	"loadgen/compare"
)

func TestWhatIsAskedOfAComparison(t *testing.T) {
	for name, c := range map[string]struct {
		asked  compare.Asked
		figure string
		margin float64
		gated  bool
		others bool // whether the other figures decide
	}{
		"nothing: the main figures by five per cent": {compare.Asked{}, "inter_token_latency.p95", 0.05, true, true},
		"another margin is that of all":              {compare.Asked{Margin: "2%"}, "inter_token_latency.p95", 0.02, true, true},
		"but not of the error rate":                  {compare.Asked{Margin: "2%"}, "error_rate", 0.01, true, true},
		"a rule makes the others be shown only":      {compare.Asked{FailOn: []string{"inter_token_latency.p95 > +7%"}}, "inter_token_latency.p95", 0.07, true, false},
		"a rule goes before the margin of all":       {compare.Asked{Margin: "2%", FailOn: []string{"inter_token_latency.p95 > +7%"}}, "inter_token_latency.p95", 0.07, true, false},
		"a further figure decides nothing":           {compare.Asked{Metrics: []string{"inter_token_latency.p99"}}, "inter_token_latency.p99", 0.05, false, true},
		"a main figure asked for again still decides": {
			compare.Asked{Metrics: []string{"inter_token_latency.p95"}}, "inter_token_latency.p95", 0.05, true, true,
		},
	} {
		rules, err := c.asked.Rules()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found := 0
		for _, r := range rules {
			if r.Figure.String() != c.figure {
				if r.Gated != c.others {
					t.Errorf("%s: %s decides: %v", name, r.Figure, r.Gated)
				}
				continue
			}
			found++
			if r.Margin != c.margin || r.Gated != c.gated {
				t.Errorf("%s: margin %g, decides %v; want %g, %v", name, r.Margin, r.Gated, c.margin, c.gated)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d rules of %s", name, found, c.figure)
		}
	}
}

func TestAllFaultsOfWhatIsAskedAreTold(t *testing.T) {
	_, err := compare.Asked{FailOn: []string{"nonsense", "ttft > 5"}, Metrics: []string{"speed.p50"}}.Rules()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"--metric: ", "--fail-on: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %q", err, want)
		}
	}
	for _, margin := range []string{"5", "-5%", "0%", "x%"} {
		if _, err := (compare.Asked{Margin: margin}).Rules(); err == nil {
			t.Errorf("--margin %s is accepted", margin)
		}
	}
}
