package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/analyze"
	"loadgen/report"
)

func TestSizingText(t *testing.T) {
	r2 := 0.9876
	got := report.SizingText(&analyze.SizingReport{
		Answers: []analyze.SizingAnswer{
			{
				Text: "the p95 of x reaches 2 at 20 requests in flight", Reach: analyze.SizingAt,
				Interval: &analyze.SizingInterval{Low: 18.5, High: 64, OpenHigh: true},
				Fit:      analyze.KneeFit{Shape: analyze.KneeRising, Knee: 10, Points: 7, RSquared: &r2},
				Knee:     &analyze.SizingInterval{Low: 9, High: 11},
			},
			{Text: "no run measured y", Reach: analyze.SizingUnknown},
		},
		Binding: 0,
		Notes:   []string{"1 interrupted run"},
	}, report.Options{})
	want := `  the p95 of x reaches 2 at 20 requests in flight, 95 % interval 18.50 to 64 or more; this target binds
    rising over 7 runs, knee at 10 (9 to 11), R² 0.988
  no run measured y
  - 1 interrupted run
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestForecastText(t *testing.T) {
	for _, tt := range []struct {
		name     string
		forecast analyze.Forecast
		want     string
	}{
		{"too little data", analyze.Forecast{Note: "3 sessions are too few"}, "  3 sessions are too few\n"},
		{
			"a target",
			analyze.Forecast{Sessions: 40, HeldOut: 10, Targets: []analyze.ForecastTarget{{Name: "calls_left", Note: "no model beats the median", Best: analyze.ForecastMedian}}},
			"  learned from 30 sessions, judged by 10 others\n  calls_left: no model beats the median\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := report.ForecastText(&tt.forecast, report.Options{}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
