package analyze_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/analyze"
)

// sizingCases returns the hand-checked cases of one algorithm.
func sizingCases[In, Out any](t *testing.T, algorithm string) map[string]struct {
	In  In
	Out Out
} {
	t.Helper()
	raw, err := os.ReadFile("testdata/aiq_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID, Algorithm string
			Input         json.RawMessage
			Expected      json.RawMessage `json:"expected_aiq"`
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		In  In
		Out Out
	}{}
	for _, c := range file.Cases {
		if c.Algorithm != algorithm {
			continue
		}
		var in In
		var out Out
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if err := json.Unmarshal(c.Expected, &out); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		cases[c.ID] = struct {
			In  In
			Out Out
		}{in, out}
	}
	if len(cases) == 0 {
		t.Fatalf("no case of %s", algorithm)
	}
	return cases
}

func TestSizingFitAIQ(t *testing.T) {
	type points struct{ X, Y []float64 }
	type line struct {
		analyze.SizingLine
		Error string
	}
	for id, c := range sizingCases[points, line](t, "sizing_linear_fit") {
		t.Run(id, func(t *testing.T) {
			got, err := analyze.SizingFitAIQ(c.In.X, c.In.Y)
			if c.Out.Error != "" {
				if err == nil || !strings.Contains(err.Error(), "R2=0.000") {
					t.Fatalf("error %v, want %s", err, c.Out.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			near(t, "slope", got.Slope, c.Out.Slope)
			near(t, "intercept", got.Intercept, c.Out.Intercept)
			near(t, "R²", got.RSquared, c.Out.RSquared)
			if d := cmp.Diff(c.Out.OutliersRemoved, got.OutliersRemoved); d != "" {
				t.Errorf("outliers removed (-want +got):\n%s", d)
			}
		})
	}
}

func TestSizingGPUsAIQ(t *testing.T) {
	type in struct{ Slope, Intercept, Target, Users, GPUs float64 }
	for id, c := range sizingCases[in, float64](t, "sizing_gpu_estimate") {
		t.Run(id, func(t *testing.T) {
			line := analyze.SizingLine{Slope: c.In.Slope, Intercept: c.In.Intercept}
			got, err := line.GPUs(c.In.Target, c.In.Users, c.In.GPUs)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "GPUs", got, c.Out)
		})
	}
	for _, tt := range []struct {
		name   string
		line   analyze.SizingLine
		target float64
	}{
		{"a target at the intercept", analyze.SizingLine{Slope: 1, Intercept: 2}, 2},
		{"a falling line", analyze.SizingLine{Slope: -1, Intercept: 2}, 3},
		{"a flat line", analyze.SizingLine{Slope: 0, Intercept: 2}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := tt.line.GPUs(tt.target, 100, 8); err == nil {
				t.Errorf("estimate %v, want an error", got)
			}
		})
	}
}

func TestSizingDocsSampleAIQ(t *testing.T) {
	docs := sizingCases[struct{ X, Y []float64 }, analyze.SizingLine](t, "sizing_linear_fit")["fit-docs-table"].In
	line, err := analyze.SizingFitAIQ(docs.X, docs.Y)
	if err != nil {
		t.Fatal(err)
	}
	gpus, err := line.GPUs(10, 100, 8)
	if err != nil {
		t.Fatal(err)
	}
	if got := math.Round(gpus*100) / 100; got != 75.35 {
		t.Errorf("GPUs for 100 users at 10 s: %v, want 75.35", got)
	}
}

func TestSizingRoughGPUs(t *testing.T) {
	type in struct {
		Observed    float64 `json:"observed_runtime"`
		Target      float64
		Users       float64
		Concurrency float64
		GPUs        float64
	}
	for id, c := range sizingCases[in, float64](t, "sizing_rough_estimate") {
		got, ok := analyze.SizingRoughGPUs(c.In.Observed, c.In.Target, c.In.Users, c.In.Concurrency, c.In.GPUs)
		if !ok {
			t.Fatalf("%s: no estimate", id)
		}
		near(t, id, got, c.Out)
	}
	if got, ok := analyze.SizingRoughGPUs(11, 10, 100, 4, 8); ok {
		t.Errorf("estimate %v from a run that missed the target, want none", got)
	}
}

// sweep makes points whose p95 of request_latency (ms) is given.
func sweep(loads, p95 []float64) []analyze.SizingPoint {
	var points []analyze.SizingPoint
	for i := range loads {
		points = append(points, analyze.SizingPoint{
			Load: loads[i],
			P95:  map[string]float64{"request_latency": p95[i]},
			Mean: map[string]float64{"request_latency": p95[i] / 2},
		})
	}
	return points
}

func TestSizingOf(t *testing.T) {
	bent := each(users, func(n float64) float64 { return 1000 * max(1, n/10) })
	for _, tt := range []struct {
		name     string
		loads    []float64
		p95      []float64
		question analyze.SizingQuestion
		reach    analyze.SizingReach
		load     float64
		measured float64
		users    float64
		gpus     int
	}{
		{"no run at all", nil, nil, analyze.SizingQuestion{}, analyze.SizingUnknown, 0, 0, 0, 0},
		{"one run within the target", []float64{4}, []float64{1500}, analyze.SizingQuestion{}, analyze.SizingAtLeast, 4, 4, 4, 0},
		{"one run beyond the target", []float64{4}, []float64{2500}, analyze.SizingQuestion{}, analyze.SizingUnreachable, 0, 0, 0, 0},
		{"two runs around the target", []float64{1, 3}, []float64{1000, 3000}, analyze.SizingQuestion{}, analyze.SizingAt, 2, 1, 2, 0},
		{"a flat system bears at least the highest load tested", []float64{1, 2, 4, 8}, []float64{1500, 1500, 1500, 1500}, analyze.SizingQuestion{}, analyze.SizingAtLeast, 8, 8, 8, 0},
		{"a target below the floor cannot be reached", []float64{1, 2, 4, 8}, []float64{2500, 2500, 2500, 2500}, analyze.SizingQuestion{}, analyze.SizingUnreachable, 0, 0, 0, 0},
		{"a latency that falls with load bears the highest tested", []float64{1, 2, 3, 4}, []float64{1900, 1600, 1300, 1000}, analyze.SizingQuestion{}, analyze.SizingAtLeast, 4, 4, 4, 0},
		{"saturation is the answer, not an outlier", users, bent, analyze.SizingQuestion{}, analyze.SizingAt, 20, 16, 20, 0},
		// At 20 in flight the mean lies between 0.8 s at 16 and 1.6 s at 32:
		// 1 s. 3 s of thought make four users of every request in flight.
		{"users who think", users, bent, analyze.SizingQuestion{ThinkTime: 3}, analyze.SizingAt, 20, 16, 80, 0},
		// 100/20 deployments of 8.
		{"GPUs without thinking", users, bent, analyze.SizingQuestion{Users: 100, TestGPUs: 8}, analyze.SizingAt, 20, 16, 20, 40},
		// 101/20 · 8 = 40.4.
		{"GPUs are rounded up", users, bent, analyze.SizingQuestion{Users: 101, TestGPUs: 8}, analyze.SizingAt, 20, 16, 20, 41},
		// A rate of 20/s with 1 s + 3 s per cycle is held by 80 users.
		{"a rate", users, bent, analyze.SizingQuestion{OpenLoop: true, ThinkTime: 3}, analyze.SizingAt, 20, 16, 80, 0},
		{"numbers that are none are left out", []float64{1, 2, 3}, []float64{1000, math.NaN(), 3000}, analyze.SizingQuestion{}, analyze.SizingAt, 2, 1, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.question.Targets = map[string]float64{"request_latency": 2000}
			r := analyze.SizingOf(sweep(tt.loads, tt.p95), tt.question)
			if _, err := json.Marshal(r); err != nil {
				t.Fatalf("the report cannot be written: %v", err)
			}
			if len(r.Points) != len(tt.loads) {
				t.Errorf("%d raw points, want %d", len(r.Points), len(tt.loads))
			}
			a := r.Answers[0]
			if a.Reach != tt.reach || a.GPUs != tt.gpus {
				t.Errorf("reach %s with %d GPUs, want %s with %d: %s", a.Reach, a.GPUs, tt.reach, tt.gpus, a.Text)
			}
			near(t, "load", a.Load, tt.load)
			near(t, "highest load tested that met the target", a.Measured, tt.measured)
			near(t, "users", a.Users, tt.users)
		})
	}
}

func TestSizingBindsAtTheTightestTarget(t *testing.T) {
	points := sweep(users, each(users, func(n float64) float64 { return 100 * n }))
	for i := range points {
		points[i].P95["time_to_first_token"] = 10 * points[i].Load
	}
	points = append(points, analyze.SizingPoint{Load: 128, Interrupted: true})
	r := analyze.SizingOf(points, analyze.SizingQuestion{
		Targets: map[string]float64{"request_latency": 4000, "time_to_first_token": 200, "inter_token_latency": 5},
	})
	if r.Binding < 0 || r.Answers[r.Binding].Metric != "time_to_first_token" {
		t.Errorf("binding %d of %+v, want time_to_first_token", r.Binding, r.Answers)
	}
	if len(r.Points) != 8 || len(r.Notes) != 1 {
		t.Errorf("%d points and notes %q, want all 8 and the interrupted one noted", len(r.Points), r.Notes)
	}
}

// Sweeps of eight runs of 300 samples whose true p95 crosses the target at 20:
// the intervals hold 20 as often as they say and are not wide open.
func TestSizingIntervalHoldsTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	held := 0
	const sweeps = 8
	for range sweeps {
		var points []analyze.SizingPoint
		for _, load := range []float64{1, 4, 8, 12, 16, 24, 32, 64} {
			samples := make([]float64, 300)
			for i := range samples {
				// The p95 of a uniform number is 0.95.
				samples[i] = 1000 * max(1, load/10) * (0.05 + rng.Float64())
			}
			points = append(points, analyze.SizingPoint{Load: load, Samples: map[string][]float64{"request_latency": samples}})
		}
		a := analyze.SizingOf(points, analyze.SizingQuestion{Targets: map[string]float64{"request_latency": 2000}}).Answers[0]
		if a.Interval == nil || a.Knee == nil {
			t.Fatalf("no interval: %+v", a)
		}
		if a.Interval.High-a.Interval.Low > 5 {
			t.Errorf("interval %+v is wider than the data call for", *a.Interval)
		}
		if a.Interval.Low <= 20 && 20 <= a.Interval.High {
			held++
		}
	}
	// With 95 % confidence, fewer than 6 of 8 come up once in 170 tries; the
	// draws are seeded.
	if held < 6 {
		t.Errorf("%d of %d intervals hold the true capacity", held, sweeps)
	}
}

func TestSizingIsReproducible(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	points := sweep(users, each(users, func(n float64) float64 { return 1000*max(1, n/10) + 20*rng.Float64() }))
	q := analyze.SizingQuestion{Targets: map[string]float64{"request_latency": 2000}, Seed: 5}
	shuffled := slices.Clone(points)
	slices.Reverse(shuffled)
	if d := cmp.Diff(analyze.SizingOf(points, q), analyze.SizingOf(shuffled, q)); d != "" {
		t.Errorf("the order of the runs changed the report:\n%s", d)
	}
}

// Whatever is measured, a report comes back, can be written, and its capacity
// lies within the loads tested.
func TestSizingOfAnyPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	odd := []float64{math.NaN(), math.Inf(1), -1, 0, 1e300}
	for range 30 {
		n := rng.IntN(8)
		loads, p95 := make([]float64, n), make([]float64, n)
		for i := range n {
			loads[i], p95[i] = float64(rng.IntN(6)), float64(rng.IntN(5))
			if rng.IntN(4) == 0 {
				p95[i] = odd[rng.IntN(len(odd))]
			}
			if rng.IntN(8) == 0 {
				loads[i] = odd[rng.IntN(len(odd))]
			}
		}
		r := analyze.SizingOf(sweep(loads, p95), analyze.SizingQuestion{Targets: map[string]float64{"request_latency": 2}, ThinkTime: 1, Users: 10, TestGPUs: 1})
		if _, err := json.Marshal(r); err != nil {
			t.Fatalf("%v, %v: %v", loads, p95, err)
		}
		if a := r.Answers[0]; a.Load < 0 || a.Load > max(0, a.Fit.To) {
			t.Fatalf("%v, %v: capacity %v outside the loads tested", loads, p95, a.Load)
		}
	}
}

func BenchmarkSizingOf(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var points []analyze.SizingPoint
	for _, load := range users {
		samples := make([]float64, 5000)
		for i := range samples {
			samples[i] = 1000 * max(1, load/10) * rng.ExpFloat64()
		}
		points = append(points, analyze.SizingPoint{Load: load, Samples: map[string][]float64{"request_latency": samples}})
	}
	for b.Loop() {
		analyze.SizingOf(points, analyze.SizingQuestion{Targets: map[string]float64{"request_latency": 4000}})
	}
}
