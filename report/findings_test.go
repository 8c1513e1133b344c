package report_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/analyze"
	"loadgen/report"
)

func TestFindingsText(t *testing.T) {
	unknown := analyze.Number(math.NaN())
	got := report.FindingsText([]analyze.Finding{
		{
			Title: "requests wait in the server's queue", Control: analyze.Deployment, Confidence: analyze.High,
			Seconds: 1234.56, Tokens: unknown,
			Evidence: []analyze.Evidence{{What: "TTFT p99 over p50", Value: 12.345, Unit: "times", Where: "concurrency64"}},
			Try:      []string{"more replicas", "a lower concurrency"},
		},
		{
			Title: "prompts share a prefix", Control: analyze.Workload, Confidence: analyze.Low,
			Seconds: unknown, Tokens: 98765,
			Evidence: []analyze.Evidence{{What: "shared", Value: 0.0625}, {What: "hit rate", Value: unknown}},
		},
	}, report.Options{})
	want := ` 1. requests wait in the server's queue
    high confidence; controllable by: deployment; costs 1,234.6 s over all requests
      - TTFT p99 over p50: 12.35 times (concurrency64)
      try: more replicas
      try: a lower concurrency

 2. prompts share a prefix
    low confidence; controllable by: workload; 98,765 tokens need not be computed
      - shared: 0.06250
      - hit rate: N/A
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := report.FindingsText(nil, report.Options{}); got != "" {
		t.Errorf("no findings: %q", got)
	}
}
