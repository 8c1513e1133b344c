package stats_test

import (
	"testing"

	"loadgen/stats"
)

func TestABracketGrowsByWhatIsAsked(t *testing.T) {
	passed := []stats.Probe{{Load: 5, Answer: stats.Pass}}
	failed := append(passed, stats.Probe{Load: 20, Answer: stats.Fail})
	for _, tt := range []struct {
		name   string
		b      stats.Bisection
		probes []stats.Probe
		want   float64
	}{
		{"twice without a word", stats.Bisection{}, passed, 10},
		{"as told", stats.Bisection{Growth: 3.5}, passed, 17.5},
		{"in whole numbers", stats.Bisection{Growth: 3.5, Integer: true}, passed, 17},
		{"less than twice, as told", stats.Bisection{Growth: 1.1}, passed, 5.5},
		{"by one of whole numbers at least", stats.Bisection{Growth: 1.1, Integer: true}, passed, 6},
		{"and no further than may be", stats.Bisection{Growth: 4, Most: 12}, passed, 12},
		{"not inside a bracket", stats.Bisection{Growth: 4}, failed, 10},
	} {
		tt.b.Start, tt.b.MaxProbes, tt.b.Resolution = 5, 24, 0.05
		if got, stop := tt.b.Next(tt.probes); got != tt.want || stop != "" {
			t.Errorf("%s: %g %s, want %g", tt.name, got, stop, tt.want)
		}
	}
}
