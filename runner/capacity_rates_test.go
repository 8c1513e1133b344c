package runner_test

import (
	"bufio"
	"cmp"
	"encoding/json"
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
	limits string // of the search, or its tiers
	base   []string
	near   [2]float64 // between which its capacity lies; equal where it is known
	small  bool       // its mock and near are those of 1 to 12 users, by the seed
	brief  bool       // its runs differ for as long as they last: many short ones tell
}

// endpoints are bound by different things: what is computed, what waits, and
// what fails.
var endpoints = []endpoint{
	{name: "decode, no jitter", mock: "decode_base: 8ms, decode_per_seq: 300us", over: "concurrency", limits: "slos={itl.p95: 24}", near: [2]float64{20, 40}},
	{name: "decode, jitter 0.1", mock: "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.1", over: "concurrency", limits: "slos={itl.p95: 24}", near: [2]float64{20, 40}},
	{name: "decode, jitter 0.3", mock: "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.3", over: "concurrency", limits: "slos={itl.avg: 24}", near: [2]float64{20, 40}},
	{name: "two limits, lengths vary", mock: "decode_base: 8ms, decode_per_seq: 200us, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 120, itl.p95: 24}", base: []string{"base_config.prompt_output_tokens_stddev=8", "base_config.prompt_input_tokens_stddev=20"}, near: [2]float64{20, 50}},
	{name: "queue of 48 seats", mock: "max_num_seqs: 48, decode_base: 8ms, decode_per_seq: 100us, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 200}", near: [2]float64{40, 64}},
	{name: "prefix cache of 6 of 8", mock: "decode_base: 8ms, decode_per_seq: 100us, prefill_base: 2ms, prefill_per_token: 100us, kv_cache_tokens: 2000, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 200}", base: []string{"base_config.num_prefix_prompts=8", "base_config.prefix_prompt_length=320", "base_config.prompt_output_tokens_stddev=8"}, near: [2]float64{8, 64}},
	{name: "prefill, lengths vary", mock: "prefill_base: 15ms, decode_base: 6ms, decode_per_seq: 50us, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 150}", base: []string{"base_config.prompt_output_tokens_stddev=8"}, near: [2]float64{12, 64}},
	{name: "prefill, equal lengths", mock: "prefill_base: 15ms, decode_base: 6ms, decode_per_seq: 50us, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 150}", near: [2]float64{16, 40}, brief: true},
	{name: "two tiers", mock: "decode_base: 8ms, decode_per_seq: 200us, jitter: 0.1", over: "concurrency", limits: "tiers={a: {itl.p95: 18}, b: {itl.p95: 30}}", near: [2]float64{10, 100}},
	{name: "small: 1 to 12 seats", mock: "max_num_seqs: %d, decode_base: 15ms, decode_per_seq: 0s, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 80}", base: []string{"base_config.prompt_output_tokens_mean=60"}, small: true},
	{name: "small: 1 to 12 share a step", mock: "prefill_base: 0s, decode_base: 8ms, decode_per_seq: 1ms, jitter: 0.1", over: "concurrency", limits: "slos={itl.p95: %d.5}", base: []string{"base_config.prompt_output_tokens_mean=400"}, small: true},
	{name: "length of prompts", mock: "prefill_per_token: 200us, decode_base: 8ms, decode_per_seq: 100us, jitter: 0.1", over: "prompt_input_tokens_mean", limits: "slos={ttft.p95: 300}", base: []string{"base_config.concurrency=4", "search.from=16", "base_config.prompt_output_tokens_stddev=8"}, near: [2]float64{100, 2000}},
	{name: "soft limit (A below)", mock: "prefill_base: 2ms, decode_base: 40ms, decode_per_seq: 1ms, jitter: 0.1", over: "concurrency", limits: "slos={itl.p95: 80}", base: []string{"base_config.prompt_output_tokens_mean=25", "base_config.prompt_output_tokens_stddev=8", "search.to=128"}, near: [2]float64{20, 60}},
	{name: "cliff (B below)", mock: "prefill_base: 2ms, decode_base: 40ms, decode_per_seq: 200us, max_num_seqs: 24, jitter: 0.1", over: "concurrency", limits: "slos={ttft.p95: 370}", base: []string{"base_config.prompt_output_tokens_mean=25", "base_config.prompt_output_tokens_stddev=8", "search.to=128"}, near: [2]float64{20, 60}},
	{name: "open, Poisson, prefill", mock: "prefill_base: 12ms, decode_base: 6ms, decode_per_seq: 50us, jitter: 0.1", over: "request_rate", limits: "slos={ttft.p95: 150}", base: []string{"base_config.request_rate_mode=poisson"}, near: [2]float64{40, 70}},
	{name: "open, Poisson, 32 seats", mock: "max_num_seqs: 32, decode_base: 10ms, decode_per_seq: 100us, jitter: 0.1", over: "request_rate", limits: "slos={ttft.p95: 150}", base: []string{"base_config.request_rate_mode=poisson"}, near: [2]float64{50, 80}},
	{name: "open, Poisson, waits of 2 s", mock: "max_num_seqs: 32, decode_base: 10ms, decode_per_seq: 100us, jitter: 0.1", over: "request_rate", limits: "slos={ttft.p95: 2000}", base: []string{"base_config.request_rate_mode=poisson"}, near: [2]float64{50, 80}},
	{name: "open, Poisson, one seat", mock: "max_num_seqs: 1, decode_base: 7ms, decode_per_seq: 0s, jitter: 0.1", over: "request_rate", limits: "slos={ttft.p95: 500}", base: []string{"base_config.request_rate_mode=poisson"}, near: [2]float64{1, 8}},
	{name: "open, Poisson, answers of 10 s", mock: "decode_base: 500ms, decode_per_seq: 0s, max_num_seqs: 4, jitter: 0.1", over: "request_rate", limits: "slos={ttft.p95: 5000}", base: []string{"base_config.request_rate_mode=poisson"}, near: [2]float64{0.05, 0.4}},
	{name: "open, constant, decode", mock: "decode_base: 8ms, decode_per_seq: 300us, jitter: 0.1", over: "request_rate", limits: "slos={itl.p95: 24}", near: [2]float64{40, 80}},
	// Of r requests/s a quota of 50 lets 50 through: 1 % fail at 50 / 0.99.
	{name: "open, 429 beyond a quota", mock: "requests_per_second: 50, burst: 2, decode_base: 4ms, decode_per_seq: 50us", over: "request_rate", limits: "slos={ttft.p95: 1000}", near: [2]float64{50 / 0.99, 50 / 0.99}},
}

// batch is the search of a shape by a seed.
func (e *endpoint) batch(t *testing.T, seed int, more ...string) *sweep.Batch {
	t.Helper()
	mock, limits := e.mock, e.limits
	if e.small {
		users := 1 + seed%12
		e.near = [2]float64{float64(users), float64(users)}
		if strings.Contains(mock, "%d") {
			mock = fmt.Sprintf(mock, users)
		} else {
			limits = fmt.Sprintf(limits, 8+users)
		}
	}
	for _, key := range []string{"prefill_base: 5ms", "prefill_per_token: 0s"} {
		if name, _, _ := strings.Cut(key, ":"); !strings.Contains(mock, name) {
			mock += ", " + key
		}
	}
	settings := append([]string{
		fmt.Sprintf("mock={seed: %d, %s}", seed, mock), fmt.Sprintf("base_config.random_seed=%d", seed), "search.over=" + e.over, "search." + limits, "search.to=100000",
	}, e.base...)
	b, err := sweep.Parse("search.yaml", []byte(sought), sweep.Options{Overrides: append(settings, more...)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// level is the mean of the margin that is worst over runs at a load.
func (e *endpoint) level(t *testing.T, load float64, tier int) float64 {
	runs, look := 24, "75" // times four, of an open loop times eight
	if e.brief {
		runs, look = 480, "10"
	}
	sum := 0.0
	at := strconv.FormatFloat(load, 'g', 6, 64)
	for seed := range runs {
		b := e.batch(t, 1001+seed, "search.from="+at, "search.to="+at, "base_config.benchmark_duration="+look, "search.confidence=99.9999%")
		ask, _ := b.Plan().Next(nil)
		run := simulate(t, b, ask)
		worst := math.Inf(-1)
		for _, l := range b.Search.AllTiers()[tier].Limits {
			for _, m := range run.Margins {
				if m.Name == l.Name && m.Known() && l.Name != metrics.ErrorRate {
					worst = max(worst, m.Y+math.Log(m.Bound/l.Bound))
				}
			}
		}
		sum += worst
	}
	return sum / float64(runs)
}

// truth is the load at which the margin of long runs is 0 in the mean:
// halved until the loads around it are 0.5 % apart, or one of whole numbers.
func (e *endpoint) truth(t *testing.T, tier int) float64 {
	low, high := e.near[0], e.near[1]
	whole := e.over != "request_rate"
	for high-low > max(0.005*low, map[bool]float64{true: 1}[whole]) {
		middle := math.Sqrt(low * high)
		if whole {
			if middle = math.Round(middle); middle <= low || middle >= high {
				middle = low + 1
			}
		}
		if e.level(t, middle, tier) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	if whole {
		return low
	}
	return math.Sqrt(low * high)
}

// A found is what a search found of a tier.
type found struct {
	Shape           string
	Seed, Tier      int
	Truth, Got      float64
	Covered, Proved bool
	Probes          int
	Minutes         float64
}

// search looks for the capacity of a shape.
func (e *endpoint) search(t *testing.T, seed int, truths []float64) []found {
	b := e.batch(t, seed)
	plan := b.Plan()
	var done []*sweep.Run
	for {
		ask, ok := plan.Next(done)
		if !ok {
			break
		}
		done = append(done, simulate(t, b, ask))
	}
	c := b.Capacities(done)[0]
	var all []found
	for i, tier := range c.Tiers {
		f := found{Shape: e.name, Seed: seed, Tier: i, Got: float64(tier.Fit.Capacity), Proved: tier.Certified, Probes: len(done), Minutes: c.Used.Minutes()}
		if e.small {
			f.Truth = e.near[0]
		} else {
			f.Truth = truths[i]
		}
		if tier.Status != sweep.CapacityFound {
			f.Got = 0
		}
		f.Covered = float64(tier.Lower) <= f.Truth && !(float64(tier.Upper) < f.Truth)
		all = append(all, f)
	}
	if os.Getenv("LOADGEN_CAPACITY_TELL") != "" {
		t.Logf("seed %d: %+v\n%s", seed, all, told(&c))
	}
	return all
}

// TestCapacityRates searches known endpoints many times over, event by event, and
// prints the table of docs/capacity.md: LOADGEN_CAPACITY is how many seeds each
// has. LOADGEN_CAPACITY_FILE keeps what was found, a line each, and is gone on
// with.
func TestCapacityRates(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("LOADGEN_CAPACITY"))
	if err != nil {
		t.Skip("LOADGEN_CAPACITY=40 searches forty times for each shape; it takes some minutes")
	}
	kept, keep := keptRates(t, os.Getenv("LOADGEN_CAPACITY_FILE"))
	fmt.Println("| shape | capacity | searches | error, median / p95 | covered | exact | certified (wrong) | probes | minutes (grid) |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			of := kept[e.name]
			var truths []float64
			for _, f := range of {
				if f.Seed == of[0].Seed {
					truths = append(truths, f.Truth)
				}
			}
			if tiers := e.batch(t, 1).Search.AllTiers(); len(truths) == 0 {
				for tier := range tiers {
					truths = append(truths, e.truth(t, tier))
				}
			}
			for seed := 1; seed <= seeds; seed++ {
				if !slices.ContainsFunc(of, func(f found) bool { return f.Seed == seed }) {
					more := e.search(t, seed, truths)
					of = append(of, more...)
					keep(more)
				}
			}
			fmt.Println(row(&e, of))
		})
	}
}

// keptRates reads what earlier calls found, and returns what adds to it.
func keptRates(t *testing.T, path string) (kept map[string][]found, keep func([]found)) {
	kept, keep = map[string][]found{}, func([]found) {}
	if path == "" {
		return kept, keep
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var one found
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		kept[one.Shape] = append(kept[one.Shape], one)
	}
	enc := json.NewEncoder(f)
	return kept, func(all []found) {
		for _, one := range all {
			if err := enc.Encode(one); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// row is a shape's row of the table. A certificate is wrong where its answer
// is off by more than the precision.
func row(e *endpoint, all []found) string {
	var errs []float64
	var covered, exact, proved, wrong, probes, minutes, grid float64
	capacities := map[int]string{}
	for _, f := range all {
		errs = append(errs, math.Abs(f.Got/f.Truth-1))
		count := func(n *float64, is bool) {
			if is {
				*n += 100 / float64(len(all))
			}
		}
		count(&covered, f.Covered)
		count(&exact, f.Got == f.Truth)
		count(&proved, f.Proved)
		count(&wrong, f.Proved && errs[len(errs)-1] > 0.05)
		probes += float64(f.Probes) / float64(len(all))
		minutes += f.Minutes / float64(len(all))
		grid += gridMinutes(e, f.Truth) / float64(len(all))
		capacities[f.Tier] = strconv.FormatFloat(f.Truth, 'g', 4, 64)
	}
	slices.Sort(errs)
	capacity := capacities[0]
	if e.small {
		capacity = "1 to 12"
	} else if capacities[1] != "" {
		capacity += ", " + capacities[1]
	}
	same := "–"
	if e.over != "request_rate" {
		same = fmt.Sprintf("%.0f %%", exact)
	}
	ofGrid := "–" // which begins at 1
	if e.near[1] >= 1 {
		ofGrid = fmt.Sprintf("%.0f", grid)
	}
	return fmt.Sprintf("| %s | %s | %d | %.1f / %.1f %% | %.0f %% | %s | %.0f (%.0f) %% | %.1f | %.1f (%s) |", e.name, capacity, len(all),
		100*errs[len(errs)/2], 100*errs[(len(errs)*95+99)/100-1], covered, same, proved, wrong, probes, minutes, ofGrid)
}

// gridMinutes is what a grid of the same precision takes: loads from 1 on that
// lie 5 % or one user apart, up to the first beyond the capacity, each for the
// longest look of 80 s, of open loops 160 s, where the first is 20 s.
func gridMinutes(e *endpoint, capacity float64) float64 {
	n, look := 0, 160.0
	whole := e.over != "request_rate"
	if whole {
		look = 80
	}
	for load := cmp.Or(map[string]float64{"prompt_input_tokens_mean": 16}[e.over], 1); ; n++ {
		if load > capacity {
			return float64(n+1) * look / time.Minute.Seconds()
		}
		next := load * 1.05
		if whole {
			next = max(load+1, math.Floor(next))
		}
		load = next
	}
}
