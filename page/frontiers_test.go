package page_test

import (
	"strings"
	"testing"

	"loadgen/metrics"
)

// Of three cells with energy the page has a frontier of it: the quickest, and the one
// that makes more of a joule. Without energy it has none.
func TestEnergyHasAFrontier(t *testing.T) {
	runs := []made{
		{values: value("concurrency", 1), verdict: metrics.Valid, scale: 1, joules: 100},
		{values: value("concurrency", 2), verdict: metrics.Valid, scale: 1.5, joules: 50},
		{values: value("concurrency", 4), verdict: metrics.Valid, scale: 2, joules: 200},
	}
	const id = "b1-pareto_curve_nvidia_output_tokens_per_joule_vs_interactivity"
	picture := figure(html(t, batch(t, runs...)), id)
	if !strings.Contains(picture, "Pareto frontier") || !strings.Contains(picture, "Tokens per joule against speed for one user") {
		t.Errorf("no frontier of energy: %q", picture)
	}
	for i := range runs {
		runs[i].joules = 0
	}
	if strings.Contains(html(t, batch(t, runs...)), id) {
		t.Error("a frontier of an energy that nobody told")
	}
}
