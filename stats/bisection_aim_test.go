package stats_test

import (
	"testing"

	"loadgen/stats"
)

// An aim takes the place of the middle of the gap that holds it, and leaves a tenth of
// the gap's logarithm to either side.
func TestABracketIsClosedByAim(t *testing.T) {
	const p, f, u = stats.Pass, stats.Fail, stats.Undecided
	for _, tt := range []struct {
		name   string
		aim    float64
		probes []stats.Probe
		want   float64 // 0 for none
	}{
		{"without one the middle", 0, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}}, 100},
		{"at the aim", 300, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}}, 300},
		// A tenth of two decades is a factor of 1.585.
		{"not too near below", 11, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}}, 16},
		{"not too near above", 990, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}}, 631},
		{"an aim outside says nothing", 5, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}}, 100},
		{"in its own gap, not in the widest", 30, []stats.Probe{{Load: 10, Answer: p}, {Load: 1000, Answer: f}, {Load: 40, Answer: u}}, 30},
		{"whole numbers between", 10.4, []stats.Probe{{Load: 10, Answer: p}, {Load: 12, Answer: f}}, 11},
		{"where its gap is closed there is no more to do", 40.5, []stats.Probe{{Load: 10, Answer: p}, {Load: 40, Answer: u}, {Load: 41, Answer: u}, {Load: 1000, Answer: f}}, 0},
		{"none failed, and it lies beyond: growth", 50, []stats.Probe{{Load: 10, Answer: p}, {Load: 40, Answer: u}}, 80},
		{"none failed, but it was passed", 30, []stats.Probe{{Load: 10, Answer: p}, {Load: 40, Answer: u}}, 30},
		{"three from one side: the middle", 300, []stats.Probe{{Load: 10, Answer: p}, {Load: 4000, Answer: f}, {Load: 2000, Answer: f}, {Load: 1000, Answer: f}}, 100},
	} {
		b := stats.Bisection{Integer: true, Start: 10, MaxProbes: 24, Resolution: 0.05, Aim: tt.aim}
		got, stop := b.Next(tt.probes)
		if got != tt.want || (stop == "") != (tt.want > 0) {
			t.Errorf("%s: %g %s, want %g", tt.name, got, stop, tt.want)
		}
	}
}

// However wrong the aims, a gap of three decades is closed in a bounded number of
// probes.
func TestWrongAimsCloseABracketToo(t *testing.T) {
	for _, aim := range []float64{1.0001, 9999} {
		for _, limit := range []float64{1.5, 100, 9000} {
			probes := []stats.Probe{{Load: 1, Answer: stats.Pass}, {Load: 10000, Answer: stats.Fail}}
			for len(probes) < 60 {
				b := stats.Bisection{Start: 1, MaxProbes: 60, Resolution: 0.05, Aim: aim}
				load, stop := b.Next(probes)
				if stop != "" {
					break
				}
				answer := stats.Pass
				if load > limit {
					answer = stats.Fail
				}
				probes = append(probes, stats.Probe{Load: load, Answer: answer})
			}
			if low, high := stats.Bracket(probes); len(probes) == 60 || low > limit || high < limit {
				t.Errorf("aimed at %g for %g: %d probes, between %g and %g", aim, limit, len(probes), low, high)
			}
		}
	}
}
