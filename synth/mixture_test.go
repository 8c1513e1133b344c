package synth_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/synth"
)

func TestParseMixtureReadsEachNotation(t *testing.T) {
	fixed := synth.Mixture{
		{Input: synth.Normal{Mean: 256}, Output: synth.Normal{Mean: 128}, Percent: 40},
		{Input: synth.Normal{Mean: 512}, Output: synth.Normal{Mean: 256}, Percent: 60},
	}
	spread := synth.Mixture{
		{Input: synth.Normal{Mean: 256, Stddev: 10}, Output: synth.Normal{Mean: 128, Stddev: 5}, Percent: 40},
		{Input: synth.Normal{Mean: 512}, Output: synth.Normal{Mean: 256, Stddev: 2.5}, Percent: 60},
	}
	for _, row := range []struct {
		name, text string
		want       synth.Mixture
	}{
		{"semicolons", "256,128:40;512,256:60", fixed},
		{"semicolons with spaces and one behind", " 256 , 128 : 40 ; 512,256:60; ", fixed},
		{"brackets", "[(256,128):40,(512,256):60]", fixed},
		{"brackets with spaces", "[ (256, 128): 40, (512, 256): 60 ]", fixed},
		{"JSON", `{"pairs":[{"isl":256,"osl":128,"prob":40},{"isl":512,"osl":256,"prob":60}]}`, fixed},
		{"semicolons with deviations", "256|10,128|5:40;512,256|2.5:60", spread},
		{"brackets with deviations", "[(256|10,128|5):40,(512,256|2.5):60]", spread},
		{
			"JSON with deviations",
			`{"pairs":[{"isl":256,"isl_stddev":10,"osl":128,"osl_stddev":5,"prob":40},{"isl":512,"osl":256,"osl_stddev":2.5,"prob":60}]}`,
			spread,
		},
		{"a single pair", "100,50:100", synth.Mixture{{synth.Normal{Mean: 100}, synth.Normal{Mean: 50}, 100}}},
		{"thirds", "1,1:33.3;2,1:33.3;3,1:33.4", synth.Mixture{
			{synth.Normal{Mean: 1}, synth.Normal{Mean: 1}, 33.3},
			{synth.Normal{Mean: 2}, synth.Normal{Mean: 1}, 33.3},
			{synth.Normal{Mean: 3}, synth.Normal{Mean: 1}, 33.4},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := synth.ParseMixture(row.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("mixture (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMixtureSaysWhatIsWrong(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", "it is empty"},
		{";", "is not input,output:percent"},
		{"256:40", "is not input,output:percent"},
		{"256,128", "is not input,output:percent"},
		{"256,128:50", "the probabilities sum to 50, not to 100"},
		{"256,128:60;512,256:60", "the probabilities sum to 120, not to 100"},
		{"256,128:-50;512,256:150", "the probability -50 is not between 0 and 100"},
		{"0,128:100", "pair 1: the input length: the mean 0 is not between 1"},
		{"256,0:100", "pair 1: the output length: the mean 0 is not between 1"},
		{"256|-1,128:100", "the standard deviation -1"},
		{"x,128:100", `"x" is not a number`},
		{"NaN,128:100", "the mean NaN"},
		{"256,128:NaN", "the probability NaN"},
		{"[]", "there are no pairs"},
		{"[(256,128):100", "has no closing ]"},
		{"[(256,128:100]", "no closing parenthesis"},
		{"[256,128:100]", "stands before the first pair"},
		{`{"pairs":[]}`, "there are no pairs"},
		{`{"pairs":[{"isl":256,"prob":100}]}`, "pair 1 lacks one of isl, osl and prob"},
		{`{"pairs":[{"isl":256,"osl":1,"prob":100,"std":3}]}`, `unknown field "std"`},
		{`{"pairs":[{"isl":256,"osl":1,"prob":100}]} x`, "behind the closing brace"},
	} {
		t.Run(row.text, func(t *testing.T) {
			_, err := synth.ParseMixture(row.text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %q", err, row.want)
			}
		})
	}
}

func TestMixtureDrawsByProbability(t *testing.T) {
	m, err := synth.ParseMixture("1,1:70;2,1:20;3,1:10")
	if err != nil {
		t.Fatal(err)
	}
	const n = 100_000
	count := map[float64]float64{}
	rng := loadgen.Seed(3).Stream("mixture").At(0)
	for range n {
		count[m.Draw(&rng).Input.Mean]++
	}
	for kind, want := range map[float64]float64{1: 0.7, 2: 0.2, 3: 0.1} {
		if got := count[kind] / n; math.Abs(got-want) > 0.006 {
			t.Errorf("kind %v is drawn %.4f of the time, want %.1f", kind, got, want)
		}
	}
}

func FuzzParseMixture(f *testing.F) {
	f.Add("256|10,128|5:40;512,256:60")
	f.Add("[(256,128):40,(512,256):60]")
	f.Add(`{"pairs":[{"isl":256,"osl":128,"prob":100}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := synth.ParseMixture(text)
		if err != nil {
			return
		}
		sum := 0.0
		for _, c := range m {
			if c.Input.Mean < 1 || c.Output.Mean < 1 {
				t.Errorf("%q gives a request of %v and %v tokens", text, c.Input, c.Output)
			}
			sum += c.Percent
		}
		if math.Abs(sum-100) > 1e-3 {
			t.Errorf("%q gives probabilities that sum to %v", text, sum)
		}
		rng := loadgen.Seed(1).Stream("fuzz").At(0)
		m.Draw(&rng)
	})
}
