package compare_test

import (
	"math"
	"testing"

	"loadgen/compare"
	"loadgen/metrics"
)

// night makes a night of one cell with one figure; 0 for a night without.
func night(name string, value float64) compare.Night {
	n := compare.Night{Dir: name, Runs: 1}
	if value > 0 {
		n.Cells = []compare.NightCell{{Key: "concurrency=1", Figures: map[metrics.Figure]float64{ttft: value}}}
	}
	return n
}

func TestHistoryTellsWhenALevelChanged(t *testing.T) {
	var nights []compare.Night
	for _, v := range []float64{100, 101, 0, 99, 100, 130, 131, 129, 130} { // the third night is lost
		nights = append(nights, night("n", v))
	}
	h := compare.HistoryOf(nights, []compare.CompareRule{compare.RuleFor(ttft)})
	if len(h.Series) != 1 || len(h.Series[0].Changes) != 1 {
		t.Fatalf("series %+v, want one with one change", h.Series)
	}
	s := h.Series[0]
	if c := s.Changes[0]; c.Night != 5 || !c.Worse || math.Abs(c.After/c.Before-1.3) > 0.01 {
		t.Errorf("change %+v, want night 5, worse by 30 %%", c)
	}
	if len(s.Values) != 8 || math.Abs(float64(s.Noise)-0.0063) > 0.001 { // of 130, 131, 129, 130
		t.Errorf("%d values, noise %v; want 8 and 0.6 %%", len(s.Values), s.Noise)
	}
	if !h.Nights[0].Mean(h.Cells, ttft).Defined() || h.Nights[2].Mean(h.Cells, ttft).Defined() {
		t.Error("the lost night has a mean, or another has none")
	}
}

func TestHistoryOfAGainIsNotWorse(t *testing.T) {
	var nights []compare.Night
	for _, v := range []float64{100, 101, 99, 80, 81, 79} {
		n := night("n", v)
		n.Cells[0].Figures[throughput1] = 200 - v
		nights = append(nights, n)
	}
	h := compare.HistoryOf(nights, []compare.CompareRule{compare.RuleFor(ttft), compare.RuleFor(throughput1)})
	for _, s := range h.Series {
		if len(s.Changes) != 1 || s.Changes[0].Worse {
			t.Errorf("%s: %+v, want one change for the better", s.Figure, s.Changes)
		}
	}
}

func TestNightOfRuns(t *testing.T) {
	runs := runsOf("r", 1, ttft, day, 100, 400, 1000, 1000)
	runs[2].Validity.Verdict = metrics.Invalid
	runs[3].Unfit = "it was cancelled"
	runs[0].Validity.Verdict = metrics.Degraded
	n := compare.NightOf(sideOf("x", runs), []metrics.Figure{ttft})
	if n.Runs != 4 || n.Degraded != 1 || n.Invalid != 1 || n.Unfit != 1 || !n.Started.Equal(day) {
		t.Errorf("%+v", n)
	}
	if len(n.Cells) != 1 || math.Abs(n.Cells[0].Figures[ttft]-200) > 1e-9 { // √(100·400)
		t.Errorf("cells %+v, want a geometric mean of 200", n.Cells)
	}
}
