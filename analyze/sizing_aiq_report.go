package analyze

import (
	"cmp"
	"slices"
	"strconv"
)

// The metrics that AIQ's sizing calculator knows, in seconds.
const (
	SizingLLMLatency      = "llm_latency"
	SizingWorkflowRuntime = "workflow_runtime"
)

// A SizingItem is one session of a run, in seconds.
type SizingItem struct {
	ID      string
	Latency float64 // p95 of its LLM calls
	Runtime float64
}

// A SizingRunAIQ is what AIQ's calculator knows of one concurrency.
type SizingRunAIQ struct {
	Concurrency  int
	Interrupted  bool
	LatencyP95   float64
	RuntimeP95   float64
	TotalRuntime float64
	Items        []SizingItem
}

// A SizingQuestionAIQ holds the calculator's options; a target of 0 s is not
// asked for.
type SizingQuestionAIQ struct {
	TargetLatency, TargetRuntime float64
	Users, TestGPUs              int
}

// A SizingReportAIQ is AIQ's calc_runner_output.json.
type SizingReportAIQ struct {
	Estimates SizingGPUsAIQ                `json:"gpu_estimates"`
	Fits      SizingFitsAIQ                `json:"fit_results"`
	Data      Object[SizingConcurrencyAIQ] `json:"calc_data"` // by concurrency
	// Problems say why a fit or an estimate is missing: AIQ raises there and
	// loses the data.
	Problems []string `json:"-"`
}

// A SizingGPUsAIQ holds estimates of GPUs, null where there is none.
type SizingGPUsAIQ struct {
	ByRuntime *float64 `json:"gpu_estimate_by_wf_runtime"`
	ByLatency *float64 `json:"gpu_estimate_by_llm_latency"`
}

// A SizingFitsAIQ holds the two lines, null where the fit failed.
type SizingFitsAIQ struct {
	Latency *SizingLine `json:"llm_latency_fit"`
	Runtime *SizingLine `json:"wf_runtime_fit"`
}

// A SizingConcurrencyAIQ is one concurrency with AIQ's rough estimates from it
// alone.
type SizingConcurrencyAIQ struct {
	Estimates SizingGPUsAIQ    `json:"gpu_estimates"`
	Alerts    SizingAlertsAIQ  `json:"alerts"`
	Measured  SizingMetricsAIQ `json:"sizing_metrics"`
}

// A SizingAlertsAIQ says what is odd about a concurrency: its W, L and R.
type SizingAlertsAIQ struct {
	OutlierLatency   bool `json:"outlier_llm_latency"`
	OutlierRuntime   bool `json:"outlier_workflow_runtime"`
	ItemsOverLatency int  `json:"num_items_greater_than_target_latency"`
	ItemsOverRuntime int  `json:"num_items_greater_than_target_runtime"`
}

// A SizingMetricsAIQ is what a concurrency measured.
type SizingMetricsAIQ struct {
	Alerts struct {
		Interrupted bool `json:"workflow_interrupted"`
	} `json:"alerts"`
	LatencyP95   float64               `json:"llm_latency_p95"`
	RuntimeP95   float64               `json:"workflow_runtime_p95"`
	TotalRuntime float64               `json:"total_runtime"`
	Items        Object[SizingItemAIQ] `json:"per_item_metrics"`
}

// A SizingItemAIQ is one session as AIQ writes it.
type SizingItemAIQ struct {
	Latency float64 `json:"llm_latency"`
	Runtime float64 `json:"workflow_runtime"`
}

// SizingAIQ answers as AIQ's calculator does, by its formulas, from runs in
// any order. Interrupted runs are reported but not fitted.
func SizingAIQ(runs []SizingRunAIQ, q SizingQuestionAIQ) SizingReportAIQ {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b SizingRunAIQ) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
	var report SizingReportAIQ
	latencyOf := func(r *SizingRunAIQ) float64 { return r.LatencyP95 }
	runtimeOf := func(r *SizingRunAIQ) float64 { return r.RuntimeP95 }
	report.Fits.Latency, report.Estimates.ByLatency = report.fit("llm latency", runs, latencyOf, q.TargetLatency, q)
	report.Fits.Runtime, report.Estimates.ByRuntime = report.fit("workflow runtime", runs, runtimeOf, q.TargetRuntime, q)
	for i := range runs {
		r := &runs[i]
		c := SizingConcurrencyAIQ{
			Estimates: SizingGPUsAIQ{
				ByRuntime: roughAIQ(r.RuntimeP95, q.TargetRuntime, r.Concurrency, q),
				ByLatency: roughAIQ(r.LatencyP95, q.TargetLatency, r.Concurrency, q),
			},
			Alerts: SizingAlertsAIQ{
				OutlierLatency: report.Fits.Latency.removed(r.Concurrency),
				OutlierRuntime: report.Fits.Runtime.removed(r.Concurrency),
			},
			Measured: SizingMetricsAIQ{
				LatencyP95: r.LatencyP95, RuntimeP95: r.RuntimeP95, TotalRuntime: r.TotalRuntime,
				Items: Object[SizingItemAIQ]{},
			},
		}
		c.Measured.Alerts.Interrupted = r.Interrupted
		for _, item := range r.Items {
			c.Measured.Items = append(c.Measured.Items, Member[SizingItemAIQ]{item.ID, SizingItemAIQ{item.Latency, item.Runtime}})
			if q.TargetLatency > 0 && item.Latency > q.TargetLatency {
				c.Alerts.ItemsOverLatency++
			}
			if q.TargetRuntime > 0 && item.Runtime > q.TargetRuntime {
				c.Alerts.ItemsOverRuntime++
			}
		}
		report.Data = append(report.Data, Member[SizingConcurrencyAIQ]{strconv.Itoa(r.Concurrency), c})
	}
	return report
}

// fit returns the line through a metric and the GPUs for its target, nil for
// what there is none of; the reason goes to Problems.
func (report *SizingReportAIQ) fit(name string, runs []SizingRunAIQ, of func(*SizingRunAIQ) float64, target float64, q SizingQuestionAIQ) (*SizingLine, *float64) {
	var x, y []float64
	for i := range runs {
		if !runs[i].Interrupted {
			x, y = append(x, float64(runs[i].Concurrency)), append(y, of(&runs[i]))
		}
	}
	line, err := SizingFitAIQ(x, y)
	if err != nil {
		report.Problems = append(report.Problems, name+": "+err.Error())
		return nil, nil
	}
	if target <= 0 || q.Users <= 0 || q.TestGPUs <= 0 {
		return &line, nil
	}
	gpus, err := line.GPUs(target, float64(q.Users), float64(q.TestGPUs))
	if err != nil {
		report.Problems = append(report.Problems, name+": "+err.Error())
		return &line, nil
	}
	return &line, &gpus
}

// removed reports whether the fit left a concurrency out.
func (l *SizingLine) removed(concurrency int) bool {
	return l != nil && slices.Contains(l.OutliersRemoved, float64(concurrency))
}

func roughAIQ(observed, target float64, concurrency int, q SizingQuestionAIQ) *float64 {
	if q.Users <= 0 || q.TestGPUs <= 0 {
		return nil
	}
	gpus, ok := SizingRoughGPUs(observed, target, float64(q.Users), float64(concurrency), float64(q.TestGPUs))
	if !ok {
		return nil
	}
	return &gpus
}
