package metrics_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/metrics"
)

func courseOf(t *testing.T, records ...*loadgen.Record) *metrics.Course {
	t.Helper()
	c, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		c.Add(r)
	}
	course := c.Course()
	if err := course.Check(); err != nil {
		t.Errorf("a course that does not fit together: %v", err)
	}
	return course
}

func sum(counts []int) int {
	n := 0
	for _, k := range counts {
		n += k
	}
	return n
}

// Two requests of 400 ms, 200 ms apart, and one that fails: 0.6 s are 60 slices
// of 10 ms, and 30 or fewer must be 20 slices or fewer of 40 ms: 16.
func TestACourseCountsWhereThingsHappen(t *testing.T) {
	c := courseOf(t,
		with(streamed(0, 100*ms, 400*ms), 10),
		with(streamed(200*ms, 100*ms, 400*ms), 10),
		failed(300*ms, 20*ms, loadgen.FailTimeout),
	)
	if c.Width != 0.04 || len(c.Sent) != 16 {
		t.Fatalf("%d slices of %v s, want 16 of 0.04", len(c.Sent), c.Width)
	}
	for _, row := range []struct {
		what string
		got  any
		want any
	}{
		{"sent at 0, 200 and 300 ms", []int{c.Sent[0], c.Sent[5], c.Sent[7], sum(c.Sent)}, []int{1, 1, 1, 3}},
		{"ended at 400 and 600 ms", []int{c.OK[10], c.OK[15], sum(c.OK)}, []int{1, 1, 2}},
		{"failed at 320 ms", []int{c.Failed[8], sum(c.Failed)}, []int{1, 1}},
		{"none cancelled", len(c.Cancelled), 0},
		{"one in flight from 40 to 80 ms, two from 240 to 280", []float64{c.InFlight[1], c.InFlight[6]}, []float64{1, 2}},
		{"ten tokens each, half of them at the first chunk", []float64{c.Tokens[2], c.Tokens[10], c.Tokens[7], c.Tokens[15]}, []float64{5, 5, 5, 5}},
		{"the TTFT stands where its request was sent", []int{c.Times["time_to_first_token"].Count[0], c.Times["time_to_first_token"].Count[5]}, []int{1, 1}},
		{"the mean is exact", c.Times["time_to_first_token"].Avg[0], 100.0},
	} {
		if diff := cmp.Diff(row.want, row.got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.what, diff)
		}
	}
}

func TestACourseHasAtMostSoManyPoints(t *testing.T) {
	for _, row := range []struct {
		name          string
		apart         time.Duration
		n             int
		least, most   int
		stride, kept  int
		slicesOfTenMs float64
	}{
		{"a short run has twenty slices at most", 100 * ms, 5, 10, 20, 1, 5, 4},
		{"a run of a day has two thousand at most", 10 * time.Second, 8640, 1000, 1728, 8, 1080, 8192},
		{"a fast run has two thousand at most", ms, 30_000, 1000, 2000, 16, 1875, 2},
	} {
		var records []*loadgen.Record
		for i := range row.n {
			r := streamed(time.Duration(i)*row.apart, ms, 2*ms)
			r.Index = i
			records = append(records, r)
		}
		c := courseOf(t, records...)
		if n := len(c.Sent); n < row.least || n > row.most {
			t.Errorf("%s: %d slices", row.name, n)
		}
		if sum(c.Sent) != row.n || sum(c.OK) != row.n {
			t.Errorf("%s: %d sent, %d ok of %d", row.name, sum(c.Sent), sum(c.OK), row.n)
		}
		if math.Abs(c.Width-row.slicesOfTenMs*0.01) > 1e-9 {
			t.Errorf("%s: slices of %v s, want %v", row.name, c.Width, row.slicesOfTenMs*0.01)
		}
		if c.Stride != row.stride || len(c.Requests) != row.kept {
			t.Errorf("%s: %d requests, every %d-th", row.name, len(c.Requests), c.Stride)
		}
	}
}

// A bucket is at most a 32nd of its value wide, and its middle is told.
func TestPercentilesOfASliceAreNear(t *testing.T) {
	var records []*loadgen.Record
	for i := range 1000 {
		r := streamed(0, time.Duration(i+1)*ms, 2000*ms)
		r.Index = i
		records = append(records, r)
	}
	ttft := courseOf(t, records...).Times["time_to_first_token"]
	for _, row := range []struct {
		name      string
		got, want float64
	}{{"p50", ttft.P50[0], 500}, {"p90", ttft.P90[0], 900}, {"p99", ttft.P99[0], 990}} {
		if math.Abs(row.got/row.want-1) > 0.016 {
			t.Errorf("%s is %v, want %v within 1.6 %%", row.name, row.got, row.want)
		}
	}
	if ttft.Max[0] != 1000 || ttft.Avg[0] != 500.5 {
		t.Errorf("max %v, avg %v", ttft.Max[0], ttft.Avg[0])
	}
}

func TestDistributionsCountEveryValue(t *testing.T) {
	var records []*loadgen.Record
	for i := range 200 {
		r := with(streamed(time.Duration(i)*ms, time.Duration(i+1)*ms, 300*ms), 10+i%3)
		r.Index = i
		records = append(records, r)
	}
	c := courseOf(t, records...)
	for tag, s := range c.Distributions {
		n := s.Above
		for _, k := range s.Bins {
			n += k
		}
		if n != s.Count || s.Count != 200 {
			t.Errorf("%s: %d of %d values are in bins", tag, n, s.Count)
		}
	}
	osl := c.Distributions["output_sequence_length"]
	if diff := cmp.Diff([]int64{67, 67, 66}, osl.Bins); diff != "" || osl.From != 9.5 || osl.Width != 1 {
		t.Errorf("lengths from %v by %v (-want +got):\n%s", osl.From, osl.Width, diff)
	}
	// numpy's percentile of 1..200: 1 + 199·p/100.
	ttft := c.Distributions["time_to_first_token"].Quantiles
	for _, row := range []struct{ at, want float64 }{{0, 1}, {50, 100.5}, {99, 198.01}} {
		if math.Abs(ttft[int(row.at)]-row.want) > 1e-9 {
			t.Errorf("percentile %v is %v, want %v", row.at, ttft[int(row.at)], row.want)
		}
	}
}

func TestACourseIsReadBackAsItWasWritten(t *testing.T) {
	c := courseOf(t, with(streamed(0, 100*ms, 400*ms), 10), failed(300*ms, 20*ms, loadgen.FailTimeout))
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back metrics.Course
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, &back, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-4, 0)); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}
