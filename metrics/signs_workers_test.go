package metrics_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// TestAWorkerIsJudgedByItsOwnFaults has a portion of a run, ten of whose fifty
// requests failed, refused perhaps: that is the endpoint's, which all of the run tells better.
func TestAWorkerIsJudgedByItsOwnFaults(t *testing.T) {
	facts := metrics.Facts{Load: loadgen.Load{Users: 10}}
	records := func() []*loadgen.Record {
		return steadyRun(func(i int, r *loadgen.Record) {
			if i%5 == 0 {
				r.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx}
			}
		})
	}
	h := healthy()
	v := judged(t, facts, loadgen.Outcome{}, h, loadgen.Transport{DialErrors: 10}, records()...).Validity
	if verdict, reasons := v.Own(); v.Verdict != metrics.Degraded || verdict != metrics.Valid || len(reasons) > 0 {
		t.Errorf("the portion is %s, the worker %s by %v; want DEGRADED and VALID", v.Verdict, verdict, reasons)
	}
	v = judged(t, facts, loadgen.Outcome{}, h, loadgen.Transport{DialErrors: 10, LocalDials: 10}, records()...).Validity
	if verdict, reasons := v.Own(); verdict != metrics.Degraded || len(reasons) != 1 || reasons[0].Name != "dial_errors" {
		t.Errorf("a worker without ports is %s by %v; want DEGRADED by dial_errors alone", verdict, reasons)
	}
	h.Throttled = h.Wall / 2
	v = judged(t, facts, loadgen.Outcome{}, h, loadgen.Transport{}, records()...).Validity
	if verdict, reasons := v.Own(); verdict != metrics.Invalid || len(reasons) != 1 || reasons[0].Name != "throttled" {
		t.Errorf("a throttled worker is %s by %v; want INVALID by throttled alone", verdict, reasons)
	}
}

func TestWhatWorkersSayOfThemselvesIsJudged(t *testing.T) {
	worker := func(n, ok, failed int, verdict string, reasons ...string) loadgen.Worker {
		return loadgen.Worker{
			Portion: loadgen.Portion{Worker: n, Workers: 2}, Host: "h", Issued: ok + failed, OK: ok, Failed: failed, Verdict: verdict, Reasons: reasons,
		}
	}
	drifts := func(w loadgen.Worker, bound, drift time.Duration) loadgen.Worker {
		w.Bound, w.Drift = bound, drift
		return w
	}
	const apart = "the most by which the clocks of two workers may be apart after correction, with how far they drifted apart while the run lasted: 5.2, limit 5 ms"
	const cutOff = "none of the 20 requests of worker 1 on h succeeded, while others' did: can it reach the endpoint?"
	for _, tt := range []struct {
		name    string
		workers []loadgen.Worker
		want    metrics.Verdict
		says    string
	}{
		{"two that are well", []loadgen.Worker{worker(0, 250, 0, "VALID"), worker(1, 250, 0, "VALID")}, metrics.Valid, ""},
		{"one that is sick", []loadgen.Worker{worker(0, 250, 0, "VALID"), worker(1, 250, 0, "INVALID", "it was throttled")}, metrics.Invalid, "worker 1 is INVALID: it was throttled"},
		{"one that had nothing to send", []loadgen.Worker{worker(0, 500, 0, "VALID"), worker(1, 0, 0, "INVALID", "no request was sent")}, metrics.Valid, ""},
		{"one that does not reach the endpoint", []loadgen.Worker{worker(0, 480, 0, "VALID"), worker(1, 0, 20, "VALID")}, metrics.Valid, cutOff},
		{"too few failures to say so", []loadgen.Worker{worker(0, 491, 0, "VALID"), worker(1, 0, 9, "VALID")}, metrics.Valid, ""},
		{"clocks that stay together", []loadgen.Worker{drifts(worker(0, 250, 0, "VALID"), ms, -ms), drifts(worker(1, 250, 0, "VALID"), ms, 2*ms)}, metrics.Valid, ""},
		{"clocks that drift apart", []loadgen.Worker{drifts(worker(0, 250, 0, "VALID"), 100*time.Microsecond, -2*ms), drifts(worker(1, 250, 0, "VALID"), 100*time.Microsecond, 3*ms)}, metrics.Degraded, apart},
		{"none that reaches the endpoint", []loadgen.Worker{worker(0, 0, 250, "VALID"), worker(1, 0, 250, "VALID")}, metrics.Valid, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judged(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, loadgen.Outcome{Workers: tt.workers}, healthy(), loadgen.Transport{}, steadyRun(nil)...).Validity
			texts := slices.Clone(v.Notes)
			for _, sign := range v.Reasons {
				texts = append(texts, sign.Text)
			}
			if v.Verdict != tt.want || strings.Join(texts, "") != tt.says {
				t.Errorf("%s: %q, want %s: %q", v.Verdict, texts, tt.want, tt.says)
			}
		})
	}
}
