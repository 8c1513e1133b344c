package results_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen/metrics"
	"loadgen/results"
)

// probed is a probe of a load whose TTFT is y away from its limit.
func probed(load, y, tokens, perUser float64) results.CapacityProbe {
	ttft := metrics.Limit{Name: "time_to_first_token.p95", Bound: 200}
	return results.CapacityProbe{
		Load: load, Number: 1, Dir: "search/x/probe_0001", Purpose: "bracket", Answers: map[string]string{"": "pass"}, Measured: 60,
		Margins: []metrics.Margin{{Limit: ttft, Observed: 200 * math.Exp(y), N: 50, EffectiveN: 50, Y: y, S: 0.05}},
		Tokens:  &tokens, PerUser: &perUser, PerGPU: &tokens, Pareto: load < 3,
	}
}

func TestASearchInAIPerfsShape(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "night", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ttft := metrics.Limit{Name: "time_to_first_token.p95", Bound: 200}
	void := probed(3, 0, 1, 1)
	void.Void = "INVALID: no CPU"
	c := results.Capacity{
		Over: "concurrency", Unit: "users", Confidence: 0.95, Precision: 0.05, Stopped: "resolution", From: 1, To: 64, Whole: true,
		Tiers: []results.CapacityTier{{
			Answer: "carries 2 users", Status: "found", Limits: []metrics.Limit{ttft, {Name: "error_rate", Bound: 0.01}},
			Capacity: 2, Lower: 2, Upper: metrics.Bound(math.Inf(1)), Binding: &ttft, PassedAt: 2, FailedAt: 4,
			RefutedAt: metrics.Bound(math.NaN()), BreaksAt: 4,
		}},
		Probes: []results.CapacityProbe{probed(1, -1, 90, 90), probed(2, -0.5, 150, 75), void, probed(4, math.Log(1.5), 140, 35)},
	}
	if err := b.WriteCapacities([]results.Capacity{c}); err != nil {
		t.Fatal(err)
	}
	var got, want any
	readBack(t, filepath.Join(b.Dir, "search_history.json"), &got)
	const history = `{"config":{"planner":"smooth_isotonic","objectives":[{"metric":"output_token_throughput","stat":"avg","direction":"MAXIMIZE","threshold":null}],
	"outcome_constraints":[],"max_iterations":4,"n_initial_points":1,"random_seed":null,"improvement_patience":10,"plateau_window":8,"plateau_threshold":0.01,
	"search_space":[{"path":"phases.profiling.concurrency","lo":1,"hi":64,"kind":"int"}],
	"sla_filters":[{"metric_tag":"time_to_first_token","stat":"p95","op":"le","threshold":200},{"metric_tag":"request_error_rate","stat":"avg","op":"le","threshold":1}]},
	"iterations":[
	 {"iteration_idx":0,"variation_values":{"phases.profiling.concurrency":1},"objective_values":[90],"feasible":true,"non_monotonic_warning":false},
	 {"iteration_idx":1,"variation_values":{"phases.profiling.concurrency":2},"objective_values":[150],"feasible":true,"non_monotonic_warning":false},
	 {"iteration_idx":2,"variation_values":{"phases.profiling.concurrency":4},"objective_values":[140],"feasible":false,"non_monotonic_warning":false}],
	"best_trials":[{"iteration_idx":1,"objective_values":[150],"variation_values":{"phases.profiling.concurrency":2},"feasible":true,"feasible_count":2,"pareto_rank":0}],
	"boundary_summary":{"swept_dim_path":"phases.profiling.concurrency","feasible_max":{"value":2,"iteration_idx":1,"objective_value":150},
	 "infeasible_min":{"value":4,"iteration_idx":2,"first_breach":{"metric_tag":"time_to_first_token","stat":"p95","op":"le","threshold":200,"observed":300}},
	 "binding_constraint":"time_to_first_token:p95"},
	"recipe":null,"convergence_reason":"smooth_isotonic_precision_reached"}`
	if err := json.Unmarshal([]byte(history), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); d != "" {
		t.Errorf("search_history.json (-want +got):\n%s", d)
	}

	var file struct {
		Capacities []struct {
			Tiers []struct {
				Upper, Capacity *float64
			}
			Probes []struct {
				Pareto bool `json:"pareto_optimal"`
			}
		}
	}
	readBack(t, filepath.Join(b.Dir, "capacity.json"), &file)
	tier := file.Capacities[0].Tiers[0]
	if tier.Upper != nil || *tier.Capacity != 2 {
		t.Errorf("an open bound is %v and the capacity %v, want null and 2", tier.Upper, tier.Capacity)
	}
	for i, want := range []bool{true, true, false, false} {
		if got := file.Capacities[0].Probes[i].Pareto; got != want {
			t.Errorf("probe %d on the frontier: %v, want %v", i, got, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(b.Dir, "capacity.csv"))
	if err != nil || strings.Count(string(text), "\n") != 5 || !strings.Contains(string(text), "\n,2,1,bracket,pass,,,60,150,,75,150,,,true,search/x/probe_0001\n") {
		t.Errorf("capacity.csv (%v):\n%s", err, text)
	}
}

// Near the limit one run at a load keeps it and the next does not.
func TestTheBoundaryOfASearchIsThatOfItsAnswer(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "night", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := results.Capacity{
		Over: "concurrency", Whole: true,
		Tiers: []results.CapacityTier{{Status: "found", Capacity: 2, Limits: []metrics.Limit{{Name: "time_to_first_token.p95", Bound: 200}}}},
		Probes: []results.CapacityProbe{
			probed(1, -1, 90, 90), probed(2, -0.01, 150, 75), probed(2, 0.01, 150, 75), probed(3, -0.01, 160, 53), probed(3, 0.02, 160, 53),
		},
	}
	if err := b.WriteCapacities([]results.Capacity{c}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Boundary struct {
			Feasible   struct{ Value float64 } `json:"feasible_max"`
			Infeasible struct{ Value float64 } `json:"infeasible_min"`
		} `json:"boundary_summary"`
	}
	readBack(t, filepath.Join(b.Dir, "search_history.json"), &got)
	if b := got.Boundary; b.Feasible.Value != 2 || b.Infeasible.Value != 3 {
		t.Errorf("feasible up to %g, and not from %g; want 2 and 3", b.Feasible.Value, b.Infeasible.Value)
	}
}

func readBack(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}
