package runner_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"loadgen/metrics"
	"loadgen/sweep"
)

// An endpoint is a shape of load and server whose capacity is sought.
type endpoint struct {
	name   string
	mock   string
	over   string
	limits string
	base   []string
	near   [2]float64 // between which its capacity lies
}

// endpoints are bound by different things: what is computed, what waits, and
// what fails.
var endpoints = []endpoint{
	{"decode, no jitter", "decode_base: 8ms, decode_per_seq: 300us", "concurrency", "itl.p95: 24", nil, [2]float64{10, 160}},
	{"decode, jitter 0.1", "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.1", "concurrency", "itl.p95: 24", nil, [2]float64{10, 160}},
	{"decode, jitter 0.3", "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.3", "concurrency", "itl.avg: 24", nil, [2]float64{10, 160}},
	{"prefill", "prefill_base: 15ms, decode_base: 6ms, decode_per_seq: 50us, jitter: 0.1", "concurrency", "ttft.p95: 150", nil, [2]float64{4, 160}},
	{"queue of 48 seats", "max_num_seqs: 48, decode_base: 8ms, decode_per_seq: 100us, jitter: 0.1", "concurrency", "ttft.p95: 200", nil, [2]float64{16, 128}},
	{"two limits, lengths vary", "decode_base: 8ms, decode_per_seq: 200us, jitter: 0.1", "concurrency", "ttft.p95: 120, itl.p95: 24", []string{"base_config.prompt_output_tokens_stddev=8", "base_config.prompt_input_tokens_stddev=20"}, [2]float64{8, 160}},
	{"small: 6 seats", "max_num_seqs: 6, decode_base: 15ms, decode_per_seq: 0s, jitter: 0.1", "concurrency", "ttft.p95: 80", nil, [2]float64{2, 16}},
	{"open, Poisson, prefill", "prefill_base: 12ms, decode_base: 6ms, decode_per_seq: 50us, jitter: 0.1", "request_rate", "ttft.p95: 150", []string{"base_config.request_rate_mode=poisson"}, [2]float64{4, 80}},
	{"open, Poisson, 32 seats", "max_num_seqs: 32, decode_base: 10ms, decode_per_seq: 100us, jitter: 0.1", "request_rate", "ttft.p95: 150", []string{"base_config.request_rate_mode=poisson"}, [2]float64{16, 256}},
	{"open, constant, decode", "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.1", "request_rate", "itl.p95: 24", nil, [2]float64{8, 256}},
}

func (e endpoint) settings(seed int) []string {
	mock := e.mock
	if !strings.Contains(mock, "prefill_base") {
		mock += ", prefill_base: 5ms"
	}
	look := cmp.Or(os.Getenv("LOADGEN_CAPACITY_LOOK"), "20")
	return append([]string{
		"base_config.benchmark_duration=" + look,
		fmt.Sprintf("mock={seed: %d, %s}", seed, mock), fmt.Sprintf("base_config.random_seed=%d", seed), "base_config.prompt_output_tokens_mean=20",
		"search.over=" + e.over, "search.slos={" + e.limits + "}",
	}, e.base...)
}

// truth is the capacity by runs of ten minutes: halved until the loads around it
// are 1 % apart, or one of whole numbers.
func (e endpoint) truth(t *testing.T) float64 {
	low, high := e.near[0], e.near[1]
	for high-low > max(0.01*low, map[bool]float64{true: 1}[e.over == "concurrency"]) {
		middle := math.Sqrt(low * high)
		if e.over == "concurrency" {
			if middle = math.Round(middle); middle <= low || middle >= high {
				middle = low + 1
			}
		}
		// One look, of a load from which the search can go nowhere.
		load := fmt.Sprintf("%.6g", middle)
		batch, runs := search(t, sought, append(e.settings(1001), "search.from="+load, "search.to="+load, "base_config.benchmark_duration=150", "search.confidence=99.9999%", "search.time_limit=1s")...)
		if _, broken := metrics.Broken(runs[0].Margins, batch.Search.AllTiers()[0].Limits); broken {
			high = middle
		} else {
			low = middle
		}
	}
	if e.over == "concurrency" {
		return low
	}
	return math.Sqrt(low * high)
}

// TestCapacityRates searches known endpoints many times over and prints the
// table of docs/capacity.md: LOADGEN_CAPACITY is how many seeds each has, and
// LOADGEN_CAPACITY_LOOK the first look in seconds, 20 where it is not set.
func TestCapacityRates(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("LOADGEN_CAPACITY"))
	if err != nil {
		t.Skip("LOADGEN_CAPACITY=10 searches ten times for each shape; it takes some minutes")
	}
	fmt.Println("| shape | capacity | searches | error, median / p95 | covered | exact | confirmed and refuted | probes | minutes (grid) |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			truth := e.truth(t)
			var errs []float64
			covered, exact, proved, probes := 0, 0, 0, 0
			used := time.Duration(0)
			for seed := 1; seed <= seeds; seed++ {
				batch, runs := search(t, sought, append(e.settings(seed), "search.to=1024")...)
				c := batch.Capacities(runs)[0]
				tier := c.Tiers[0]
				got := float64(tier.Fit.Capacity)
				miss := math.Abs(got/truth - 1)
				if tier.Status != sweep.CapacityFound {
					miss = 1
				}
				errs = append(errs, miss)
				if float64(tier.Lower) <= truth && !(float64(tier.Upper) < truth) {
					covered++
				}
				if got == truth {
					exact++
				}
				if tier.Confirmed && tier.Refuted {
					proved++
				}
				probes += len(c.Probes)
				used += c.Used
				if os.Getenv("LOADGEN_CAPACITY_TELL") != "" {
					t.Logf("seed %d: %s %g (%g to %g), truth %g\n%s", seed, tier.Status, got, tier.Lower, tier.Upper, truth, told(&c))
				}
			}
			slices.Sort(errs)
			fmt.Printf("| %s | %.4g | %d | %.1f / %.1f %% | %d %% | %s | %d %% | %.1f | %.1f (%.0f) |\n", e.name, truth, seeds,
				100*errs[len(errs)/2], 100*errs[(len(errs)*95+99)/100-1], 100*covered/seeds, exactly(e, exact, seeds), 100*proved/seeds,
				float64(probes)/float64(seeds), used.Minutes()/float64(seeds), gridMinutes(e, truth))
		})
	}
}

func exactly(e endpoint, exact, of int) string {
	if e.over != "concurrency" {
		return "–"
	}
	return fmt.Sprintf("%d %%", 100*exact/of)
}

// gridMinutes is what a grid of the same precision takes: loads from 1 on that
// lie 5 % or one user apart, up to the first beyond the capacity, each for the
// longest look of 80 s, of open loops 160 s, where the first is 20 s.
func gridMinutes(e endpoint, capacity float64) float64 {
	n, look := 0, 160.0
	if e.over == "concurrency" {
		look = 80
	}
	for load := 1.0; ; n++ {
		if load > capacity {
			return float64(n+1) * look / 60
		}
		next := load * 1.05
		if e.over == "concurrency" {
			next = max(load+1, math.Floor(next))
		}
		load = next
	}
}
