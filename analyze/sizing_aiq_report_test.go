package analyze_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/analyze"
)

func TestSizingAIQReport(t *testing.T) {
	docs := sizingCases[struct{ X, Y []float64 }, analyze.SizingLine](t, "sizing_linear_fit")["fit-docs-table"].In
	var runs []analyze.SizingRunAIQ
	for i := range docs.X {
		runs = append(runs, analyze.SizingRunAIQ{
			Concurrency: int(docs.X[i]), RuntimeP95: docs.Y[i], LatencyP95: 2, TotalRuntime: 30,
			Items: []analyze.SizingItem{{ID: "0", Latency: 1, Runtime: docs.Y[i]}},
		})
	}
	runs = append(runs, analyze.SizingRunAIQ{Concurrency: 64, Interrupted: true})
	r := analyze.SizingAIQ(runs, analyze.SizingQuestionAIQ{TargetRuntime: 10, Users: 100, TestGPUs: 8})

	if r.Estimates.ByRuntime == nil {
		t.Fatalf("no estimate: %q", r.Problems)
	}
	// (10 − 3.0264227363)/0.6568376759 = 10.61694 users on 8 GPUs.
	near(t, "GPUs by run time", *r.Estimates.ByRuntime, 100/((10-3.0264227363)/0.6568376759)*8)
	if r.Fits.Latency != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "llm latency") {
		t.Errorf("fit of a flat latency %v with problems %q, want none and the reason", r.Fits.Latency, r.Problems)
	}
	first, _ := r.Data.Get("1")
	near(t, "rough estimate at concurrency 1", *first.Estimates.ByRuntime, 322.7904)
	if last, _ := r.Data.Get("32"); last.Estimates.ByRuntime != nil || last.Alerts.ItemsOverRuntime != 1 {
		t.Errorf("at 32 the target is missed: %+v", last)
	}

	data, err := json.Marshal(analyze.SizingAIQ(runs[:1], analyze.SizingQuestionAIQ{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"gpu_estimates":{"gpu_estimate_by_wf_runtime":null,"gpu_estimate_by_llm_latency":null},` +
		`"fit_results":{"llm_latency_fit":null,"wf_runtime_fit":null},` +
		`"calc_data":{"1":{"gpu_estimates":{"gpu_estimate_by_wf_runtime":null,"gpu_estimate_by_llm_latency":null},` +
		`"alerts":{"outlier_llm_latency":false,"outlier_workflow_runtime":false,"num_items_greater_than_target_latency":0,"num_items_greater_than_target_runtime":0},` +
		`"sizing_metrics":{"alerts":{"workflow_interrupted":false},"llm_latency_p95":2,"workflow_runtime_p95":4.03488,"total_runtime":30,` +
		`"per_item_metrics":{"0":{"llm_latency":1,"workflow_runtime":4.03488}}}}}}`
	if d := cmp.Diff(want, string(data)); d != "" {
		t.Errorf("AIQ's file (-want +got):\n%s", d)
	}
}

func TestSizingAIQNamesOutliers(t *testing.T) {
	var runs []analyze.SizingRunAIQ
	for i, y := range []float64{1, 2, 3, 4, 50, 6} {
		runs = append(runs, analyze.SizingRunAIQ{Concurrency: i + 1, LatencyP95: y, RuntimeP95: 2 * float64(i)})
	}
	r := analyze.SizingAIQ(runs, analyze.SizingQuestionAIQ{})
	if five, _ := r.Data.Get("5"); !five.Alerts.OutlierLatency || five.Alerts.OutlierRuntime {
		t.Errorf("alerts at concurrency 5: %+v, want the latency only", five.Alerts)
	}
}
