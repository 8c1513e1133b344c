package sweep_test

import (
	"strings"
	"testing"
	"time"

	"loadgen/metrics"
	"loadgen/sweep"
)

// TestArrivalsAreObservedForLongEnough asks at which look of a probe between a load that
// passed and one that failed an answer is enough. With benchmark_duration: 20 the looks
// are after 5, 10, 20, 40, 80 and 160 s.
//
// An overload by 5 % lets waits grow by 0.05 s a second, for three quarters of a run: to
// reach a limit of 2 s that takes 53 s. Of n Poisson arrivals the rate is known to 1/√n:
// to 5 % by 400, which at 5.7/s, between 4 and 8, take 71 s, that are three quarters of 94.
func TestArrivalsAreObservedForLongEnough(t *testing.T) {
	for _, tt := range []struct {
		name     string
		poisson  bool
		limit    string // ms
		passes   string // the load that passed; its double failed
		y        float64
		inFlight float64
		want     time.Duration
	}{
		{"a short limit of many arrivals is seen at once", true, "100", "40", -0.2, 9, 40 * time.Second},
		{"a limit of 2 s takes a minute", true, "2000", "40", -0.2, 9, 80 * time.Second},
		{"and so it does for arrivals at even gaps", false, "2000", "40", -0.2, 9, 80 * time.Second},
		{"few arrivals take longer", true, "100", "4", -0.2, 9, 160 * time.Second},
		{"unless their gaps are even", false, "100", "4", -0.2, 9, 40 * time.Second},
		{"also where they break the limit", true, "100", "4", 0.3, 9, 160 * time.Second},
		{"but not by far", true, "100", "4", 1.2, 9, 40 * time.Second},
		{"nor where hardly one waits", true, "100", "4", -0.2, 0.5, 40 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("benchmark_duration: 60", "benchmark_duration: 20", "ttft.p95: 500", "ttft.p95: "+tt.limit, "over: request_rate", "from: "+tt.passes+", over: request_rate").Replace(atARate)
			if tt.poisson {
				text = strings.Replace(text, "base_config: {", "base_config: {request_rate_mode: poisson, ", 1)
			}
			batch := parse(t, text)
			var done []*sweep.Run
			for _, y := range []float64{-0.7, 0.7} { // passes, fails
				ask, _ := batch.Plan().Next(done)
				run := bearing{ttft: 1, s: 0.01, took: 1}.probe(ask)
				run.Margins[0].Limit, run.Margins[0].Y = batch.Search.AllTiers()[0].Limits[0], y
				done = append(done, run)
			}
			ask, _ := batch.Plan().Next(done)
			margins := []metrics.Margin{
				{Limit: batch.Search.AllTiers()[0].Limits[0], N: 500, Y: tt.y, S: 0.03},
				{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, N: 500, Y: -1, S: 0.5},
			}
			p, look := ask.Cell.Probe, 0
			for look < len(p.Looks)-1 && !p.Sure(look, margins, metrics.Queue{InFlight: tt.inFlight}) {
				look++
			}
			if got := p.Looks[look]; got != tt.want {
				t.Errorf("%s ends after %v, want %v", ask.Name(), got, tt.want)
			}
		})
	}
}

// TestARateOfNearlyNothingHasNoCertificate: a Duration ends after 292 years, and 1,600
// arrivals a year apart take longer.
func TestARateOfNearlyNothingHasNoCertificate(t *testing.T) {
	text := strings.NewReplacer("benchmark_duration: 60", "benchmark_duration: 20, request_rate_mode: poisson", "over:", "from: 1e-8, over:").Replace(atARate)
	_, tier := searchedBy(t, text, bearing{ttft: 3e-8, s: 0.01, took: 5}.probe)
	if tier.Status != sweep.CapacityFound || tier.Certified || tier.Lacks <= 0 {
		t.Errorf("%s, certified %t, lacks %v", tier.Status, tier.Certified, tier.Lacks)
	}
}

// A limit of 8 s takes 213 s of arrivals, which is eight times 26.7; 1,600 Poisson
// arrivals, for a rate that is known to 2.5 %, at about 3/s take 711 s, eight times 89.
func TestACertificateOfArrivalsTakesItsTime(t *testing.T) {
	for _, tt := range []struct {
		name, limit, mode string
		want              func(time.Duration) bool
	}{
		{"a short limit", "500", "constant", func(d time.Duration) bool { return d == 0 }},
		{"a long limit", "8000", "constant", func(d time.Duration) bool { return d == 27*time.Second }},
		{"few Poisson arrivals", "500", "poisson", func(d time.Duration) bool { return d >= 80*time.Second && d <= 100*time.Second }},
	} {
		text := strings.NewReplacer("benchmark_duration: 60", "benchmark_duration: 20, request_rate_mode: "+tt.mode, "ttft.p95: 500", "ttft.p95: "+tt.limit).Replace(atARate)
		_, tier := searchedBy(t, text, func(ask sweep.Ask) *sweep.Run {
			run := bearing{ttft: 3, s: 0.01, took: 5}.probe(ask)
			run.Margins[0].Limit = ask.Cell.Probe.Tiers[0].Limits[0]
			return run
		})
		if tier.Status != sweep.CapacityFound || !tt.want(tier.Lacks) || tier.Certified != (tier.Lacks == 0) {
			t.Errorf("%s: %s, certified %t, lacks %v", tt.name, tier.Status, tier.Certified, tier.Lacks)
		}
	}
}
