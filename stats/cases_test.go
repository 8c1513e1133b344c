package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"loadgen/stats"
)

// The golden cases were computed by other programs (SciPy and exact counts).
// Each kind has a rule in the methods of the file.

type goldenCase struct {
	Kind, Name string
	Input      json.RawMessage
	Expected   map[string]any
	Tolerance  float64
}

func TestGoldenCases(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []goldenCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 96 {
		t.Fatalf("%d cases, want 96", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Kind+"/"+c.Name, func(t *testing.T) {
			answer, known := kinds[c.Kind]
			if !known {
				t.Fatal("unknown kind")
			}
			for _, diff := range differs("", answer(c.Input), c.Expected, c.Tolerance) {
				t.Error(diff)
			}
		})
	}
}

// differs compares an answer with what is expected of it: NaN and infinity
// are null, numbers agree within the tolerance, all else exactly.
func differs(path string, got, want any, tolerance float64) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(object)
		if !ok {
			return []string{fmt.Sprintf("%s is no object: %v", path, got)}
		}
		var all []string
		for key, value := range w {
			all = append(all, differs(path+"."+key, g[key], value, tolerance)...)
		}
		return all
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s = %v, want %v", path, got, want)}
		}
		var all []string
		for i := range w {
			all = append(all, differs(fmt.Sprintf("%s[%d]", path, i), g[i], w[i], tolerance)...)
		}
		return all
	case float64:
		if g, ok := number(got); ok && math.Abs(g-w) <= tolerance*max(1e-3, math.Abs(w)) {
			return nil
		}
	case nil:
		if g, ok := number(got); got == nil || ok && (math.IsNaN(g) || math.IsInf(g, 0)) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s = %v, want %v", path, got, want)}
}

type object map[string]any

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// list makes the slices of an answer comparable.
func list[T any](values []T) []any {
	all := []any{}
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// some is null for a rank of 0.
func some(rank int) any {
	if rank == 0 {
		return nil
	}
	return rank
}

// kinds answers the input of each kind of case.
var kinds = map[string]func(json.RawMessage) object{
	"t_interval":                on(meanInterval),
	"log_ratio_interval":        on(logRatio),
	"moderated_variance":        on(moderated),
	"holm":                      on(holm),
	"tost":                      on(tost),
	"compare_decision":          on(compareDecision),
	"mann_whitney_exact":        mannWhitney,
	"hodges_lehmann":            on(hodgesLehmann),
	"binomial_percentile_bound": binomialBound,
	"mlperf_early_stopping":     on(earlyStopping),
	"variance_inflation":        on(varianceInflation),
	"certified_percentile":      on(certified),
	"probe_margin":              on(probeMargin),
	"e_divisive_t":              on(eDivisive),
	"isotonic":                  on(isotonic),
	"isotonic_crossing":         on(isotonicCrossing),
	"bisection_trace":           on(bisectionTrace),
	"pareto":                    on(pareto),
	"merge_moments":             on(mergeMoments),
}

// input holds the keys of all kinds' inputs.
type input struct {
	Values, Base, New    []float64
	Confidence           float64
	Method               string
	Variances, DF        []float64
	P                    []float64
	Alpha, D, SE, Margin float64
	Paired               bool
	Over                 []int
	Tolerance, Threshold float64
	Limit                float64
	RunSD                float64 `json:"run_sd"`
	PMax                 float64 `json:"p_max"`
	MinSegment           int     `json:"min_segment"`
	MinChange            float64 `json:"min_change"`
	X, Y, W, S           []float64
	Unit                 string
	Start, Resolution    float64
	MaxProbes            int       `json:"max_probes"`
	Looks                []float64 `json:"looks_s"`
	Answers              [][]stats.Answer
	Points               [][]*float64
	Directions           []string
	Workers              []worker
	Cells                []cell
	scalarP, scalarDF    float64
	hasBase              bool
}

type worker struct {
	N                  int
	Mean, M2, Min, Max *float64
}

type cell struct {
	Name    string
	Metrics []struct {
		Name, Better       string
		Base, New, History []float64
	}
}

// on decodes an input; p and df are lists in some kinds and numbers in
// others.
func on(answer func(input) object) func(json.RawMessage) object {
	return func(raw json.RawMessage) object {
		var keys map[string]json.RawMessage
		must(json.Unmarshal(raw, &keys))
		var in input
		for key, into := range map[string]*float64{"p": &in.scalarP, "df": &in.scalarDF} {
			if v, ok := keys[key]; ok && v[0] != '[' {
				must(json.Unmarshal(v, into))
				delete(keys, key)
			}
		}
		_, in.hasBase = keys["base"]
		rest, err := json.Marshal(keys)
		must(err)
		must(json.Unmarshal(rest, &in))
		return answer(in)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
