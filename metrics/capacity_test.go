package metrics_test

import (
	"encoding/json"
	"math"
	"testing"

	"loadgen/metrics"
	"loadgen/stats"
)

var (
	ttft = metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}
	itl  = metrics.Limit{Name: "inter_token_latency.p95", Bound: 40}
)

// at is a probe with the margins of both limits, each of a standard error of 0.1.
func at(load, ttftY, itlY float64) metrics.Probe {
	return metrics.Probe{Load: load, Margins: []metrics.Margin{
		{Limit: ttft, N: 100, Y: ttftY, S: 0.1}, {Limit: itl, N: 100, Y: itlY, S: 0.1},
	}}
}

func TestTheCapacityIsThatOfTheFirstLimitReached(t *testing.T) {
	for _, tt := range []struct {
		name     string
		probes   []metrics.Probe
		whole    bool
		capacity float64 // NaN for below all loads
		lower    float64
		upper    float64
		binding  string
	}{
		{
			// TTFT crosses half way between log 10 and log 20; with 1.96 errors of 0.1
			// it crosses (1∓0.196)/2 of the way.
			"TTFT binds",
			[]metrics.Probe{at(10, -1, -2), at(20, 1, -1)},
			false,
			math.Sqrt(200), 10 * math.Pow(2, (1-0.1959963985)/2), 10 * math.Pow(2, (1+0.1959963985)/2), ttft.Name,
		},
		{"in whole numbers", []metrics.Probe{at(10, -1, -2), at(20, 1, -1)}, true, 14, 13, 15, ttft.Name},
		{"ITL binds earlier", []metrics.Probe{at(10, -1, -1), at(20, -0.5, 1), at(40, 1, 2)}, true, 14, 13, 15, itl.Name},
		{"nothing binds", []metrics.Probe{at(10, -1, -2), at(20, -0.5, -1)}, true, 20, 20, math.Inf(1), ""},
		{"even the least load is too much", []metrics.Probe{at(1, 1, -1)}, true, math.NaN(), math.NaN(), math.NaN(), ttft.Name},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fit := metrics.FitCapacity(tt.probes, []metrics.Limit{ttft, itl}, metrics.Fitted{Whole: tt.whole, Confidence: 0.95})
			for name, pair := range map[string][2]float64{
				"capacity": {float64(fit.Capacity), tt.capacity}, "lower": {float64(fit.Lower), tt.lower}, "upper": {float64(fit.Upper), tt.upper},
			} {
				got, want := pair[0], pair[1]
				if same := got == want || math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) < 1e-9; !same {
					t.Errorf("%s %g, want %g", name, got, want)
				}
			}
			if binding := ""; fit.Binding != nil {
				binding = fit.Binding.Name
				if binding != tt.binding {
					t.Errorf("%s binds, want %q", binding, tt.binding)
				}
			} else if tt.binding != "" {
				t.Errorf("nothing binds, want %s", tt.binding)
			}
		})
	}
}

// Probes that scatter more than their errors say make the interval wider, not the
// answer another one.
func TestProbesThatDisagreeWidenTheInterval(t *testing.T) {
	limits := []metrics.Limit{ttft}
	calm := metrics.FitCapacity([]metrics.Probe{at(10, -0.2, -2), at(10, -0.2, -2), at(20, 0.2, -1)}, limits, metrics.Fitted{Confidence: 0.95})
	// The same mean at 10, of two probes that lie three standard errors either
	// side of it: χ² is 18 at one degree of freedom, an error of 0.42 for 0.1.
	torn := metrics.FitCapacity([]metrics.Probe{at(10, -0.5+1e-9, -2), at(10, 0.1, -2), at(20, 0.2, -1)}, limits, metrics.Fitted{Confidence: 0.95})
	if math.Abs(float64(calm.Capacity-torn.Capacity)) > 1e-6 {
		t.Errorf("the capacity is %g, want %g as without scatter", torn.Capacity, calm.Capacity)
	}
	if !(calm.Lower > 9) && !math.IsNaN(float64(torn.Lower)) {
		t.Errorf("the lower bound is %g, and %g with scatter: want none", calm.Lower, torn.Lower)
	}
	if !math.IsInf(float64(torn.Upper), 1) || math.IsInf(float64(calm.Upper), 1) {
		t.Errorf("the upper bound is %g, and %g with scatter: want it open", calm.Upper, torn.Upper)
	}
}

func TestATighterTierIsJudgedByTheSameMargins(t *testing.T) {
	margins := at(10, -0.5, -1).Margins
	tight := []metrics.Limit{{Name: ttft.Name, Bound: 250}} // log 2 = 0.69 less room
	for _, tt := range []struct {
		limits []metrics.Limit
		want   stats.Answer
	}{
		{[]metrics.Limit{ttft, itl}, stats.Pass}, // −0.5 + 1.645·0.1 < 0
		{tight, stats.Fail},                      // −0.5 + 0.693 − 0.1645 > 0
		{[]metrics.Limit{{Name: ttft.Name, Bound: 320}}, stats.Undecided},
		{[]metrics.Limit{{Name: "request_latency.p95", Bound: 1}}, stats.Undecided}, // not known
	} {
		if got := metrics.Judge(margins, tt.limits, 0.95); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.limits, got, tt.want)
		}
	}
}

// What differs from run to run is 2 %: once the run's own error is no more than half
// of that, or with half of its own the answer would be as open, more of it would not
// decide. In an open loop a quarter of it, and no such hope is given up.
func TestARunIsNotProlongedForWhatItCannotTell(t *testing.T) {
	of := func(y, own float64) []metrics.Margin {
		return []metrics.Margin{{Limit: ttft, N: 100, Y: y, S: math.Hypot(own, 0.02)}, {Limit: itl, N: 100, Y: -1, S: 0.02}}
	}
	for _, tt := range []struct {
		name         string
		margins      []metrics.Margin
		closed, open bool
	}{
		{"near the limit, and exact", of(0.01, 0.004), true, true},
		{"half as exact", of(0.01, 0.009), true, false},
		// 1.645·√(0.02² + 0.0075²) = 0.035
		{"so near that half the error does not tell", of(0.01, 0.015), true, false},
		// 0.05 lies between that of 0.02 and 0.015, 0.041, and that of 0.02 and 0.03, 0.059
		{"where half the error tells", of(0.05, 0.03), false, false},
		{"nothing is exact", of(0.01, 0.05), false, false},
		{"beyond it for sure", of(0.1, 0.02), true, true},
		{"within it for sure", of(-0.1, 0.02), true, true},
		{"a figure is missing", of(0.01, 0.004)[:1], false, false},
	} {
		limits := []metrics.Limit{ttft, itl}
		closed, open := metrics.Settled(tt.margins, limits, 0.95, false), metrics.Settled(tt.margins, limits, 0.95, true)
		if closed != tt.closed || open != tt.open {
			t.Errorf("%s: %v, of an open loop %v, want %v and %v", tt.name, closed, open, tt.closed, tt.open)
		}
	}
}

func TestTheRoomBelowALimit(t *testing.T) {
	margins := []metrics.Margin{{Limit: ttft, N: 100, Y: -math.Ln2, S: 0.1}, {Limit: metrics.Limit{Name: metrics.GoodShare, Bound: 0.9}, N: 100, Y: -3, S: 0.1}}
	for _, tt := range []struct {
		limit metrics.Limit
		want  float64
		known bool
	}{
		{ttft, 2, true},
		{metrics.Limit{Name: ttft.Name, Bound: 1000}, 4, true},
		{itl, 0, false}, // not measured
		{metrics.Limit{Name: metrics.GoodShare, Bound: 0.9}, 0, false}, // of which nobody knows how it falls
	} {
		if got, known := metrics.Room(margins, tt.limit); known != tt.known || known && math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("below %v is room for %g times, %v; want %g, %v", tt.limit, got, known, tt.want, tt.known)
		}
	}
}

func TestPoolWeighsRunsByWhatTheyAreWorth(t *testing.T) {
	a, b := metrics.Margin{Limit: ttft, N: 10, Y: 1, S: 1}, metrics.Margin{Limit: ttft, N: 40, Y: 0, S: 0.5}
	got := metrics.Pool([][]metrics.Margin{{a}, {b}})
	// Weights 1 and 4: the mean is 1/5, its standard error 1/√5.
	if len(got) != 1 || math.Abs(got[0].Y-0.2) > 1e-12 || math.Abs(got[0].S-1/math.Sqrt(5)) > 1e-12 || got[0].N != 50 {
		t.Errorf("%+v, want y 0.2 and s 0.447 of 50", got)
	}
}

func TestABoundThatIsNotKnownIsNull(t *testing.T) {
	for b, want := range map[metrics.Bound]string{metrics.Bound(math.Inf(1)): "null", 46: "46"} {
		if got, err := json.Marshal(b); err != nil || string(got) != want {
			t.Errorf("%v is %s (%v), want %s", b, got, err, want)
		}
	}
}
