package stats_test

import (
	"testing"

	"loadgen/stats"
)

// What MLPerf's own LoadGen printed, in results that MLCommons published: of so
// many queries it "would discard" the highest, and a Server run without one
// over its limit "would need to run at least" so many more.
func TestMLPerfsRuleIsMLPerfs(t *testing.T) {
	for _, tt := range []struct {
		n         int
		p         float64
		discarded int
	}{
		{2048, 0.90, 172},
		{2116, 0.90, 178},
		{7469, 0.90, 685},
		{1179125, 0.99, 11539},
	} {
		if got := tt.n - stats.EarlyStoppingRank(tt.n, tt.p, 0, 0.99); got != tt.discarded {
			t.Errorf("of %d values for p%g %d are discarded, want %d", tt.n, 100*tt.p, got, tt.discarded)
		}
	}
	for _, tt := range []struct{ seen, more int }{{21, 438}, {300, 159}} {
		if got := stats.EarlyStopping(0, 0.99, 0, 0.99) - tt.seen; got != tt.more {
			t.Errorf("after %d queries %d more are needed, want %d", tt.seen, got, tt.more)
		}
	}
	for _, tt := range []struct {
		n    int
		p    float64
		rank int
	}{{63, 0.90, 0}, {64, 0.90, 64}, {661, 0.99, 0}, {662, 0.99, 662}} {
		if got := stats.EarlyStoppingRank(tt.n, tt.p, 0, 0.99); got != tt.rank {
			t.Errorf("the estimate of p%g of %d values is the %d-th, want the %d-th", 100*tt.p, tt.n, got, tt.rank)
		}
	}
}
