package runner_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/stats"
	"loadgen/sweep"
)

// slower are endpoints of the table that bear about a tenth less with a part of their
// settings changed; with none the same is only compared with itself.
var slower = []struct{ name, from, to string }{
	{"decode, jitter 0.1", "decode_per_seq: 300us", "decode_per_seq: 335us"},
	{"queue of 48 seats", "max_num_seqs: 48", "max_num_seqs: 43"},
	{"prefill, lengths vary", "prefill_base: 15ms", "prefill_base: 16.5ms"},
	{"prefill, equal lengths", "prefill_base: 15ms", "prefill_base: 16.5ms"},
	{"small: 1 to 12 seats", "", ""},
	{"open, Poisson, prefill", "prefill_base: 12ms", "prefill_base: 13.2ms"},
	{"open, constant, decode", "decode_per_seq: 300us", "decode_per_seq: 335us"},
}

// TestCapacityComparisonRates compares searches of one endpoint with each other, and with
// searches of one that bears less, and prints the table of docs/compare.md:
// LOADGEN_CAPACITY is how many searches each has.
func TestCapacityComparisonRates(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("LOADGEN_CAPACITY"))
	if err != nil {
		t.Skip("LOADGEN_CAPACITY=40 compares twenty pairs for each shape; it takes some minutes")
	}
	fmt.Println("| endpoint | the same: worse or better | the same: no difference | bears so much less | found worse | found better |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, s := range slower {
		for _, e := range endpoints {
			if e.name != s.name {
				continue
			}
			t.Run(e.name, func(t *testing.T) {
				as, step := answersOf(t, &e, n, 0), 1
				if e.small {
					step = 12 // the same endpoint again
				}
				var bs []compare.Found
				if s.from != "" {
					less := e
					if less.mock = strings.Replace(e.mock, s.from, s.to, 1); less.mock == e.mock {
						t.Fatalf("%q is not in %q", s.from, e.mock)
					}
					bs = answersOf(t, &less, n, n)
				}
				same, lower := map[stats.Verdict]int{}, map[stats.Verdict]int{}
				pairs, change := 0, 0.0
				for i := 0; i+step < n; i++ {
					same[comparedWith(t, as[i], as[i+step])]++
					pairs++
				}
				for i := range bs {
					lower[comparedWith(t, as[i], bs[i])]++
					change += math.Log(bs[i].Value/as[i].Value) / float64(n)
				}
				share := func(k, of int) string { return fmt.Sprintf("%.0f %%", 100*float64(k)/float64(of)) }
				row := fmt.Sprintf("| %s | %s | %s |", e.name, share(same[stats.Worse]+same[stats.Better], pairs), share(same[stats.NoDifference], pairs))
				if len(bs) > 0 {
					row += fmt.Sprintf(" %.1f %% | %s | %s |", 100*(1-math.Exp(change)), share(lower[stats.Worse], n), share(lower[stats.Better], n))
				}
				fmt.Println(row)
			})
		}
	}
}

// answersOf are the answers of searches by the seeds behind one.
func answersOf(t *testing.T, e *endpoint, n, behind int) []compare.Found {
	var all []compare.Found
	for seed := behind + 1; seed <= behind+n; seed++ {
		b := e.batch(t, seed)
		var done []*sweep.Run
		for plan := b.Plan(); ; {
			ask, ok := plan.Next(done)
			if !ok {
				break
			}
			done = append(done, simulate(t, b, ask))
		}
		tier := b.Capacities(done)[0].Tiers[0]
		f := compare.Found{Value: float64(tier.Fit.Capacity), Lower: float64(tier.Lower), Upper: float64(tier.Upper), Confidence: float64(b.Search.Confidence)}
		if tier.Status != sweep.CapacityFound {
			f.Why = tier.Status
		}
		all = append(all, f)
	}
	return all
}

// comparedWith is what a comparison of two searches says.
func comparedWith(t *testing.T, base, fresh compare.Found) stats.Verdict {
	t.Helper()
	side := func(name string, f compare.Found) compare.CompareSide {
		search := &compare.Search{Unit: "users", Found: map[metrics.Figure]compare.Found{{Tag: metrics.Capacity}: f}}
		return compare.CompareSide{Name: name, Runs: []compare.CompareRun{{Dir: name, Search: search, Figures: search.Figures()}}}
	}
	c, err := compare.Compare(side("BASE", base), side("NEW", fresh), compare.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Verdict
}
