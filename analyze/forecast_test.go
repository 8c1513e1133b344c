package analyze_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/analyze"
)

// conversations makes sessions of the given numbers of calls. tokens says how
// long an answer is by the length of the one before; a second of work and two
// of thought follow each other.
func conversations(sessions int, rng *rand.Rand, calls func() int, tokens func(before int) int) []loadgen.Call {
	var out []loadgen.Call
	for s := range sessions {
		at, before := rng.Float64()*100, 50+rng.IntN(100)
		for range calls() {
			n := tokens(before)
			out = append(out, loadgen.Call{
				Example: s, Kind: loadgen.LLMCall, Name: "m",
				Start: at, FirstToken: at + 0.1, End: at + 1,
				PromptTokens: 100, CompletionTokens: n, CachedTokens: -1,
			})
			at, before = at+3, n
		}
	}
	return out
}

func target(t *testing.T, f *analyze.Forecast, name string) *analyze.ForecastTarget {
	t.Helper()
	for i := range f.Targets {
		if f.Targets[i].Name == name {
			return &f.Targets[i]
		}
	}
	t.Fatalf("no target %s in %+v", name, f)
	return nil
}

func TestForecastBeatsTheMedianWhereItCan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	five := func() int { return 5 }
	for _, tt := range []struct {
		name   string
		calls  []loadgen.Call
		target string
		want   []analyze.ForecastMethod
		within float64 // of the median's error
	}{
		{
			"an answer is as long as the one before, and a bit", conversations(120, rng, five, func(before int) int { return before + 10 }),
			"next_output_tokens",
			[]analyze.ForecastMethod{analyze.ForecastLinear},
			0.05,
		},
		{
			"short answers follow long ones, long ones short ones", conversations(240, rng, five, func(before int) int {
				if before > 100 {
					return 60 + rng.IntN(10)
				}
				if before > 80 {
					return 300 + rng.IntN(10)
				}
				return 85 + rng.IntN(40)
			}),
			"next_output_tokens",
			[]analyze.ForecastMethod{analyze.ForecastForest},
			0.6,
		},
		{
			"answers have nothing to do with each other", conversations(120, rng, five, func(int) int { return rng.IntN(200) }),
			"next_output_tokens",
			[]analyze.ForecastMethod{analyze.ForecastMedian},
			1,
		},
		{
			"all sessions have five calls", conversations(120, rng, five, func(int) int { return rng.IntN(200) }),
			"calls_left",
			[]analyze.ForecastMethod{analyze.ForecastLinear, analyze.ForecastForest},
			0.1,
		},
		{
			"and take the same time", conversations(120, rng, five, func(int) int { return rng.IntN(200) }),
			"time_left",
			[]analyze.ForecastMethod{analyze.ForecastLinear, analyze.ForecastForest},
			0.1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := target(t, analyze.ForecastOf(tt.calls, 1), tt.target)
			found := false
			for _, m := range tt.want {
				found = found || got.Best == m
			}
			if !found {
				t.Fatalf("best is %s, want one of %s: %s", got.Best, tt.want, got.Note)
			}
			if e := got.Errors[got.Best]; e > tt.within*got.Errors[analyze.ForecastMedian] {
				t.Errorf("error %v, want within %v of the median's %v", e, tt.within, got.Errors[analyze.ForecastMedian])
			}
			if got.Best == analyze.ForecastMedian && !strings.HasPrefix(got.Note, "no model beats the median") {
				t.Errorf("note %q does not say that no model beats the median", got.Note)
			}
		})
	}
}

func TestForecastSaysWhenThereIsTooLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	plain := func(int) int { return 10 }
	unknown := conversations(40, rng, func() int { return 3 }, func(int) int { return -1 })
	failed := conversations(40, rng, func() int { return 3 }, plain)
	for i := range failed {
		failed[i].Failed = true
	}
	for _, tt := range []struct {
		name  string
		calls []loadgen.Call
	}{
		{"no calls", nil},
		{"a few sessions", conversations(19, rng, func() int { return 5 }, plain)},
		{"sessions of one call", conversations(500, rng, func() int { return 1 }, plain)},
		{"only failures", failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := analyze.ForecastOf(tt.calls, 1)
			if len(f.Targets) != 0 || !strings.Contains(f.Note, "at least 20 are needed") {
				t.Errorf("targets %v, note %q", f.Targets, f.Note)
			}
			if next := f.Next(tt.calls); next != nil {
				t.Errorf("it forecasts %v", next)
			}
		})
	}
	if got := target(t, analyze.ForecastOf(unknown, 1), "next_output_tokens"); got.Note != "the trace does not say it of any call" {
		t.Errorf("note for unknown tokens: %q", got.Note)
	}
}

func TestForecastNext(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	calls := conversations(200, rng, func() int { return 4 }, func(before int) int { return before + 10 })
	f := analyze.ForecastOf(calls, 1)
	got := map[string]float64{}
	for _, v := range f.Next(calls[:2]) { // the first two of four calls
		got[v.Name] = v.Value
	}
	for name, want := range map[string]float64{
		"next_output_tokens": float64(calls[2].CompletionTokens),
		"next_call_in":       2,
		"calls_left":         2,
		"time_left":          6,
	} {
		if math.Abs(got[name]-want) > 0.05*want {
			t.Errorf("%s: %v, want %v or near", name, got[name], want)
		}
	}
}

func TestForecastTravelsAsJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	calls := conversations(60, rng, func() int { return 2 + rng.IntN(4) }, func(before int) int { return before/2 + rng.IntN(40) })
	f := analyze.ForecastOf(calls, 9)
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(analyze.ForecastOf(calls, 9))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Error("the same calls and seed gave another forecast")
	}
	read, err := analyze.ReadForecast(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f.Next(calls[:2]), read.Next(calls[:2])); d != "" {
		t.Errorf("it forecasts otherwise after reading (-written +read):\n%s", d)
	}
	for name, bad := range map[string]string{
		"no JSON":                   "pickle",
		"another version":           strings.Replace(string(data), `"version":1`, `"version":2`, 1),
		"other features":            strings.Replace(string(data), "calls_so_far", "moon", 1),
		"a tree without nodes":      `{"version":1,"features":` + featuresOf(t, data) + `,"targets":[{"forest":{"trees":[[]]}}]}`,
		"a tree that runs in rings": `{"version":1,"features":` + featuresOf(t, data) + `,"targets":[{"forest":{"trees":[[{"l":1},{"l":1},{}]]}}]}`,
		"a tree that ends in air":   `{"version":1,"features":` + featuresOf(t, data) + `,"targets":[{"forest":{"trees":[[{"l":7}]]}}]}`,
		"an unheard-of feature":     `{"version":1,"features":` + featuresOf(t, data) + `,"targets":[{"forest":{"trees":[[{"l":1,"f":99},{},{}]]}}]}`,
	} {
		if _, err := analyze.ReadForecast([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func featuresOf(t *testing.T, data []byte) string {
	t.Helper()
	var f struct{ Features json.RawMessage }
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return string(f.Features)
}

// Whatever the calls, nothing panics and every number can be written.
func TestForecastOfAnyCalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	odd := []float64{math.NaN(), math.Inf(1), -1, 0, 5, 1e308}
	number := func() float64 {
		if rng.IntN(3) == 0 {
			return odd[rng.IntN(len(odd))]
		}
		return rng.Float64() * 100
	}
	for range 15 {
		calls := make([]loadgen.Call, rng.IntN(300))
		for i := range calls {
			calls[i] = loadgen.Call{
				Example: rng.IntN(60), Kind: loadgen.CallKind(rng.IntN(2)),
				Start: number(), FirstToken: number(), End: number() + 50,
				PromptTokens: rng.IntN(100) - 1, CompletionTokens: rng.IntN(100) - 1, CachedTokens: -1,
				Failed: rng.IntN(5) == 0,
			}
		}
		f := analyze.ForecastOf(calls, loadgen.Seed(rng.Uint64()))
		if _, err := json.Marshal(f); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(f.Next(calls)); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkForecastOf100kCalls(b *testing.B) {
	rng := rand.New(rand.NewPCG(6, 6))
	calls := conversations(20_000, rng, func() int { return 5 }, func(before int) int { return before/2 + rng.IntN(80) })
	for b.Loop() {
		analyze.ForecastOf(calls, 1)
	}
}
