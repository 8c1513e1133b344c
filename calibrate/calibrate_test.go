package calibrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/sweep"
)

// A step of two hundred streams: TTFT 200 ms and three gaps of 20 ms, as the
// endpoint stamped them; what the client made of each is changed by a case.
func TestAStepIsHonestIfTheClientAgreesWithTheEndpoint(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name   string
		seen   func(i int, o *observation)
		counts metrics.Counts
		valid  metrics.Validity
		err    error
		why    string // empty for honest
	}{
		{name: "exact", why: ""},
		{name: "a tail of one in two hundred", seen: func(i int, o *observation) {
			if i == 0 {
				o.first += time.Second
			}
		}},
		{name: "within 5 % of the median", seen: func(_ int, o *observation) { o.first += 9 * ms }},
		{name: "beyond it", seen: func(_ int, o *observation) { o.first += 11 * ms }, why: "first output is off by more than 10 ms in 1 of 100"},
		{name: "beyond it in three of a hundred", seen: func(i int, o *observation) {
			if i < 6 {
				o.first -= 11 * ms
			}
		}, why: "first output is off"},
		{name: "gaps within 1 %", seen: func(_ int, o *observation) { o.gap += 190 * time.Microsecond }},
		{name: "gaps beyond it", seen: func(_ int, o *observation) { o.gap -= 210 * time.Microsecond }, why: "the gaps are off by more than 1 %"},
		{name: "gaps beyond it in the tail", seen: func(i int, o *observation) {
			if i < 6 {
				o.gap += 2 * ms
			}
		}, why: "the gaps are off by more than 5 % in 1 of 100"},
		{name: "failures", counts: metrics.Counts{Failed: 3}, why: "3 requests failed"},
		{
			name: "a verdict", valid: metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Text: "no CPU to spare"}}},
			why: "INVALID: no CPU to spare",
		},
		{name: "a weakness", valid: metrics.Validity{Verdict: metrics.Degraded, Reasons: []metrics.Sign{{Text: "busy"}}}},
		{name: "an error", err: errors.New("no route"), why: "no route"},
	} {
		t.Run(row.name, func(t *testing.T) {
			seen := map[string]observation{}
			var stamps []mockllm.Stamp
			for i := range 200 {
				id, at := fmt.Sprint(i), int64(i)*int64(ms)
				stamp := mockllm.Stamp{RequestID: id, Received: at}
				for chunk := range int64(4) {
					stamp.Chunks = append(stamp.Chunks, at+int64(200*ms)+chunk*int64(20*ms))
				}
				stamps = append(stamps, stamp)
				o := observation{first: 200 * ms, gap: 20 * ms}
				if row.seen != nil {
					row.seen(i, &o)
				}
				seen[id] = o
			}
			run := &sweep.Run{
				Err:     row.err,
				Outcome: loadgen.Outcome{Issued: 200, StoppedAt: 2 * time.Second, Elapsed: 4 * time.Second},
				Summary: &metrics.Summary{Counts: row.counts, Validity: row.valid},
			}
			step := compare(run, seen, stamps)
			if step.Honest != (row.why == "") || !strings.HasPrefix(step.Why, row.why) {
				t.Errorf("honest %t, why %q; want %q", step.Honest, step.Why, row.why)
			}
			if row.err == nil && (step.Requests != 100 || step.Chunks != 200) {
				t.Errorf("%g requests/s and %g chunks/s, want 100 and 200", step.Requests, step.Chunks)
			}
		})
	}
}

func TestAClimbEndsBesideItsLimit(t *testing.T) {
	for _, row := range []struct {
		limit, most int
		want        []int
	}{
		{limit: 300, most: 4096, want: []int{64, 128, 256, 512, 384}},
		{limit: 400, most: 4096, want: []int{64, 128, 256, 512, 384}},
		{limit: 10_000, most: 256, want: []int{64, 128, 256}},
		{limit: 10, most: 256, want: []int{64, 32}},
	} {
		var loads []int
		steps, err := climb(64, row.most, func(load int) (metrics.Step, error) {
			loads = append(loads, load)
			return metrics.Step{Honest: load <= row.limit}, nil
		})
		if err != nil || !slices.Equal(loads, row.want) || len(steps) != len(loads) {
			t.Errorf("limit %d: %d steps at %v, %v; want %v", row.limit, len(steps), loads, err, row.want)
		}
	}
}
