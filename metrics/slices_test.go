package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/metrics"
)

// sliced is what is to be known of a slice: its bounds in milliseconds, how many
// requests were sent in it, and how many were in flight in the mean.
type sliced struct {
	From, To int
	Complete bool
	Requests float64
	Flight   float64
}

func slicesOf(t *testing.T, width, first, end time.Duration, records ...*loadgen.Record) []sliced {
	t.Helper()
	s, err := metrics.NewSlicer(metrics.Facts{}, loadgen.Outcome{}, width, first, end)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		s.Plan(r)
	}
	var out []sliced
	for _, r := range records {
		for _, slice := range s.Add(r) {
			one := sliced{From: int(slice.From / ms), To: int(slice.To / ms), Complete: slice.Complete}
			for _, m := range slice.Metrics {
				switch m.Tag {
				case "request_count":
					one.Requests = *m.Value
				case "effective_concurrency":
					one.Flight = m.Stats.Avg
				}
			}
			out = append(out, one)
		}
	}
	return out
}

func TestARequestBelongsToTheSliceThatItWasSentIn(t *testing.T) {
	for _, row := range []struct {
		name       string
		first, end time.Duration
		records    []*loadgen.Record
		want       []sliced
	}{
		{
			"the grid begins with the first request, and the last slice ends with the run", 100 * ms, 2000 * ms,
			[]*loadgen.Record{
				streamed(100*ms, 10*ms, 500*ms),  // to 600
				streamed(600*ms, 10*ms, 1000*ms), // to 1600, half of the second slice
				streamed(1200*ms, 10*ms, 800*ms), // to 2000
			},
			[]sliced{{100, 1100, true, 2, 1}, {1100, 2000, false, 1, (500.0 + 800) / 900}},
		},
		{
			"a slice in which none was sent is left out", 0, 3500 * ms,
			[]*loadgen.Record{streamed(0, 10*ms, 100*ms), streamed(3000*ms, 10*ms, 500*ms)},
			[]sliced{{0, 1000, true, 1, 0.1}, {3000, 3500, false, 1, 1}},
		},
		{
			"slices are told in order though a long request ends last", 0, 2500 * ms,
			[]*loadgen.Record{
				streamed(1000*ms, 10*ms, 500*ms),
				streamed(2000*ms, 10*ms, 400*ms),
				streamed(0, 10*ms, 2500*ms),
			},
			[]sliced{{0, 1000, true, 1, 1}, {1000, 2000, true, 1, 1.5}, {2000, 2500, false, 1, 1.8}},
		},
	} {
		got := slicesOf(t, time.Second, row.first, row.end, row.records...)
		if diff := cmp.Diff(row.want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
