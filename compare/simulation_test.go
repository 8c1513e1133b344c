package compare_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"loadgen"
	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/stats"
)

// comparisons is the size of a simulation; task bench:compare runs a larger
// one, whose table stands in docs/statistics.md.
var comparisons = flag.Int("comparisons", 200, "comparisons to simulate for each row")

// A world says how runs differ by chance. The logarithm of a figure of a run
// is level + run noise; within a run the noise of all figures has the
// correlation 0.6, between runs none unless said.
type world struct {
	cells, runs int
	cv          map[string]float64 // by figure; 0.03 where absent
	tails       func(*rand.Rand) float64
	uneven      bool    // cells differ in noise by up to a factor of 4
	follow      float64 // correlation of successive runs of a cell
	drift       float64 // standard deviation of a drift that all cells share, with correlation 0.7 from round to round
	shift       float64 // standard deviation of what a whole side is off by
	turns       bool    // the sides take turns
	nights      int     // earlier nights of one run
}

var typical = world{cells: 6, runs: 5, cv: map[string]float64{"time_to_first_token.p95": 0.06}}

// levels are plausible figures at concurrency 1.
var levels = map[string]float64{
	"time_to_first_token.p50": 40, "time_to_first_token.p95": 90,
	"inter_token_latency.p50": 10, "inter_token_latency.p95": 14,
	"output_token_throughput": 90,
}

type simulation struct {
	world
	rng   *rand.Rand
	rules []compare.CompareRule
}

func (s *simulation) noise() float64 {
	if s.tails != nil {
		return s.tails(s.rng)
	}
	return s.rng.NormFloat64()
}

// side makes a side; factor changes a figure of a cell.
func (s *simulation) side(name string, n int, start time.Time, step time.Duration, rounds []float64, factor func(cell int, figure string) float64) compare.CompareSide {
	side := compare.CompareSide{Name: name}
	off := s.shift * s.rng.NormFloat64()
	last := map[string]float64{}
	for r := range n {
		for c := range s.cells {
			run := compare.CompareRun{
				Dir: fmt.Sprintf("%s/%d/%d", name, r, c), Cell: []loadgen.Value{{Key: "concurrency", Value: 1 << c}},
				Started: start.Add(time.Duration(r)*step + time.Duration(c)*time.Minute),
				Figures: map[metrics.Figure]float64{{Tag: metrics.ErrorRate, Stat: "avg"}: 0},
			}
			run.Ended = run.Started.Add(50 * time.Second)
			common := s.noise()
			for _, rule := range s.rules {
				figure := rule.Figure.String()
				level, known := levels[figure]
				if !known {
					continue
				}
				z := math.Sqrt(0.6)*common + math.Sqrt(0.4)*s.noise()
				if key := fmt.Sprint(c, figure); s.follow > 0 {
					if r > 0 {
						z = s.follow*last[key] + math.Sqrt(1-s.follow*s.follow)*z
					}
					last[key] = z
				}
				cv, set := s.cv[figure]
				if !set {
					cv = 0.03
				}
				if s.uneven {
					cv *= math.Pow(4, float64(c)/float64(s.cells)-0.5)
				}
				run.Figures[rule.Figure] = level * math.Sqrt(float64(c+1)) * factor(c, figure) * math.Exp(cv*z+rounds[r]+off)
			}
			side.Runs = append(side.Runs, run)
		}
	}
	return side
}

// rounds are the shared drift of each round.
func (s *simulation) rounds(n int) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = s.drift * s.rng.NormFloat64()
		if i > 0 {
			d[i] = 0.7*d[i-1] + math.Sqrt(1-0.49)*d[i]
		}
	}
	return d
}

func same(int, string) float64 { return 1 }

// compare simulates one comparison.
func (s *simulation) compare(factor func(int, string) float64) *compare.Comparison {
	night := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	o := compare.CompareOptions{Rules: s.rules}
	if s.nights > 0 {
		o.History = map[string]map[metrics.Figure][]float64{}
		for _, run := range s.side("earlier", s.nights, night.AddDate(0, 0, -s.nights), 24*time.Hour, make([]float64, s.nights), same).Runs {
			key := compare.CellKey(run.Cell)
			if o.History[key] == nil {
				o.History[key] = map[metrics.Figure][]float64{}
			}
			for f, v := range run.Figures {
				o.History[key][f] = append(o.History[key][f], v)
			}
		}
	}
	round := time.Duration(s.cells) * time.Minute
	base, fresh := s.rounds(s.runs), s.rounds(s.runs)
	start, step := night.Add(24*time.Hour), round
	if s.turns {
		all := s.rounds(2 * s.runs)
		for i := range base {
			base[i], fresh[i] = all[2*i], all[2*i+1]
		}
		start, step = night.Add(round), 2*round
	}
	c, err := compare.Compare(
		s.side("BASE", s.runs, night, step, base, same),
		s.side("NEW", s.runs, start, step, fresh, factor), o)
	if err != nil {
		panic(err)
	}
	return c
}

// rate is the share of simulated comparisons of which something holds.
func rate(w world, n int, seed loadgen.Seed, factor func(int, string) float64, holds func(*compare.Comparison) bool) float64 {
	s := simulation{w, seed.Rand("comparisons"), compare.DefaultCompareRules()}
	hits := 0
	for range n {
		if holds(s.compare(factor)) {
			hits++
		}
	}
	return 100 * float64(hits) / float64(n)
}

func anyWorse(c *compare.Comparison) bool { return c.Verdict == stats.Worse }

// found says that a figure is worse in every cell that was changed.
func found(figure string, cells int) func(*compare.Comparison) bool {
	return func(c *compare.Comparison) bool {
		n := 0
		for _, r := range c.Results {
			if r.Metric == figure && r.Verdict == stats.Worse {
				n++
			}
		}
		return n >= cells
	}
}

// slower multiplies figures in the first cells.
func slower(by float64, cells int, figures ...string) func(int, string) float64 {
	return func(c int, figure string) float64 {
		for _, f := range figures {
			if f == figure && c < cells {
				return by
			}
		}
		return 1
	}
}

func t3(rng *rand.Rand) float64 {
	chi := 0.0
	for range 3 {
		z := rng.NormFloat64()
		chi += z * z
	}
	return rng.NormFloat64() / math.Sqrt(chi) // variance 1: t3's is 3
}

func outliers(rng *rand.Rand) float64 {
	z := rng.NormFloat64()
	if rng.Float64() < 0.05 {
		z += 5 // 15 % at a CV of 3 %
	}
	return z
}

func TestCompareRates(t *testing.T) {
	with := func(change func(*world)) world {
		w := typical
		change(&w)
		return w
	}
	itl := slower(1.10, 1, "inter_token_latency.p50", "inter_token_latency.p95")
	foundITL := found("inter_token_latency.p50", 1)
	for i, row := range []struct {
		name        string
		world       world
		falseAlarms float64 // at most
		itl         float64 // +10 % in one cell is found at least so often
		bar         bool    // simulated in every run of the tests
	}{
		{"6 cells, 5 runs a side", typical, 5, 90, true},
		{"1 cell", with(func(w *world) { w.cells = 1 }), 5, 85, false},
		{"20 cells", with(func(w *world) { w.cells = 20 }), 5, 85, false},
		{"3 runs a side", with(func(w *world) { w.runs = 3 }), 5, 0, false},
		{"10 runs a side", with(func(w *world) { w.runs = 10 }), 5, 95, false},
		{"noise that differs by cell", with(func(w *world) { w.uneven = true }), 5, 90, false},
		{"heavy tails (t with 3 degrees of freedom)", with(func(w *world) { w.tails = t3 }), 5, 80, false},
		{"5 % of runs off by 15 %", with(func(w *world) { w.tails = outliers }), 5, 0, false},
		{"rounds drift together by 3 %, sides one after the other", with(func(w *world) { w.drift = 0.03 }), 100, 0, false},
		{"the same, sides take turns", with(func(w *world) { w.drift = 0.03; w.turns = true }), 5, 60, true},
		{"runs of a cell follow one another (0.5)", with(func(w *world) { w.follow = 0.5 }), 100, 0, false},
		{"a side is off as a whole by 1 %", with(func(w *world) { w.shift = 0.01 }), 100, 0, false},
		{"1 run a side, 10 earlier nights", with(func(w *world) { w.runs, w.nights = 1, 10 }), 5, 0, true},
	} {
		n := *comparisons
		if n <= 200 { // part of the tests: the main row, and some of what else is promised
			if !row.bar {
				continue
			}
			if i > 0 {
				n /= 4
			}
		}
		aa := rate(row.world, n, 1, same, anyWorse)
		power := rate(row.world, n, 2, itl, foundITL)
		tail := rate(row.world, n, 3, slower(1.20, 1, "time_to_first_token.p95"), found("time_to_first_token.p95", 1))
		everywhere := rate(row.world, n, 4, slower(1.10, row.world.cells, "inter_token_latency.p50", "inter_token_latency.p95"), anyWorse)
		t.Logf("| %s | %.1f | %.1f | %.1f | %.1f |", row.name, aa, power, tail, everywhere)
		// Three standard errors of a simulation of this size.
		slack := 300 * math.Sqrt(0.05*0.95/float64(n))
		if aa > row.falseAlarms+slack*b2f(row.falseAlarms < 100) {
			t.Errorf("%s: %.1f %% false alarms, want at most %.0f", row.name, aa, row.falseAlarms)
		}
		if power < row.itl-slack {
			t.Errorf("%s: +10 %% ITL found in %.1f %%, want at least %.0f", row.name, power, row.itl)
		}
		if tail < row.itl-slack-2 {
			t.Errorf("%s: +20 %% of a TTFT p95 found in %.1f %%, want about %.0f", row.name, tail, row.itl)
		}
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
