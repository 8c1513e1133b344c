package compare_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/stats"
)

var capacity = metrics.Figure{Tag: metrics.Capacity}

// answered is the answer of a search with its interval of 95 %.
func answered(value, lower, upper float64) compare.Found {
	return compare.Found{Value: value, Lower: lower, Upper: upper, Confidence: 0.95}
}

func bounded(value float64, b compare.Bounded) compare.Found {
	return compare.Found{Value: value, Bound: b, Upper: math.Inf(1), Confidence: 0.95}
}

// searched is a side of searches, ten minutes apart, of a capacity for each tier.
func searched(name string, at time.Time, of ...map[string]compare.Found) compare.CompareSide {
	s := compare.CompareSide{Name: name}
	for i, tiers := range of {
		search := &compare.Search{Unit: "users", Found: map[metrics.Figure]compare.Found{}}
		for tier, found := range tiers {
			search.Found[metrics.Figure{Tag: metrics.Capacity, Stat: tier}] = found
		}
		start := at.Add(time.Duration(i) * 10 * time.Minute)
		s.Runs = append(s.Runs, compare.CompareRun{
			Dir: name + string(rune('a'+i)), Started: start, Ended: start.Add(5 * time.Minute), Search: search, Figures: search.Figures(),
		})
	}
	return s
}

func one(f compare.Found) map[string]compare.Found { return map[string]compare.Found{"": f} }

// Half an interval of 95 % is 1.96 standard errors of the logarithm; a change counts
// from 5 % on.
func TestCapacitiesAreComparedByTheirIntervals(t *testing.T) {
	for _, row := range []struct {
		name        string
		base, fresh compare.Found
		want        stats.Verdict
		reason      string
	}{
		{"a tenth fewer, sure to 2 %", answered(100, 98, 102), answered(90, 88.2, 91.8), stats.Worse, ""},
		{"15 % more", answered(100, 98, 102), answered(115, 113, 117), stats.Better, ""},
		{"the same within 2 %", answered(100, 98, 102), answered(100.5, 98.5, 102.5), stats.NoDifference, ""},
		{"a change no larger than what they are sure to", answered(100, 90, 110), answered(94, 84, 104), stats.CannotTell, "sure to about"},
		{"the same whole number", answered(30, 30, 30), answered(30, 30, 30), stats.NoDifference, ""},
		{"one of thirty fewer, within the margin", answered(30, 30, 30), answered(29, 29, 29), stats.NoDifference, ""},
		{"one of six fewer", answered(6, 6, 6), answered(5, 5, 5), stats.Worse, ""},
		{"only the upper end is known", answered(100, 0, 102), answered(90, 0, 91.8), stats.Worse, ""},
		{"no end is known", answered(100, 0, math.Inf(1)), answered(50, 49, 51), stats.CannotTell, "one run a side"},
		{"no end of what NEW bears", answered(46, 45, 47), bounded(128, compare.AtLeast), stats.Better, ""},
		{"no end of what BASE bore", bounded(128, compare.AtLeast), answered(46, 45, 47), stats.Worse, ""},
		{"no end of what either bears", bounded(128, compare.AtLeast), bounded(128, compare.AtLeast), stats.CannotTell, "no end of what is borne"},
		{"NEW bears at least somewhat less", answered(46, 45, 47), bounded(32, compare.AtLeast), stats.CannotTell, "no end of what is borne"},
		{"NEW bears not even the least load", answered(46, 45, 47), bounded(1, compare.Below), stats.Worse, ""},
		{"NEW bears less than a load above BASE's", answered(46, 45, 47), bounded(64, compare.Below), stats.CannotTell, "a smaller `from`"},
		{"NEW has no answer", answered(46, 45, 47), compare.Found{Why: "it ended without one (time_limit)"}, stats.CannotTell, "NEW has no answer: it ended without one (time_limit)"},
	} {
		got, err := compare.Compare(searched("BASE", day, one(row.base)), searched("NEW", day.Add(24*time.Hour), one(row.fresh)), compare.CompareOptions{})
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if len(got.Results) != 1 || got.Results[0].Metric != "capacity" || got.Results[0].Unit != "users" {
			t.Fatalf("%s: %+v", row.name, got.Results)
		}
		if r := got.Results[0]; got.Verdict != row.want || !strings.Contains(r.Reason, row.reason) || (r.Reason == "") != (row.reason == "") {
			t.Errorf("%s: %s (%s), want %s (%s)", row.name, got.Verdict, r.Reason, row.want, row.reason)
		}
	}
}

// ln(100/90) = 0.1054; the errors of 0.0102 and 0.0102 make one of 0.0144, and 1.96
// times that 0.0283: 0.9 with 0.875 to 0.926.
func TestTheIntervalOfAChangeOfCapacity(t *testing.T) {
	got, err := compare.Compare(searched("BASE", day, one(answered(100, 98, 102))), searched("NEW", day, one(answered(90, 88.2, 91.8))), compare.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := got.Results[0]
	for name, pair := range map[string][2]float64{
		"ratio": {float64(r.Ratio), 0.9}, "lower": {float64(r.Lower), 0.8749}, "upper": {float64(r.Upper), 0.9259}, "noise": {float64(r.Noise), 0.0102},
	} {
		if math.Abs(pair[0]-pair[1]) > 2e-4 {
			t.Errorf("%s is %g, want %g", name, pair[0], pair[1])
		}
	}
}

// Three searches a side differ by 10 % among themselves: what each says of its own
// error is too little.
func TestSearchesThatDifferAreNoisierThanTheySay(t *testing.T) {
	exact := func(values ...float64) (all []map[string]compare.Found) {
		for _, v := range values {
			all = append(all, one(answered(v, v, v)))
		}
		return all
	}
	got, err := compare.Compare(searched("BASE", day, exact(100, 110, 90)...), searched("NEW", day.Add(24*time.Hour), exact(94, 103, 85)...), compare.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Results[0]; r.Verdict != stats.CannotTell || r.Noise < 0.08 || r.Needs == 0 {
		t.Errorf("%+v", r)
	}
	// Earlier nights say the same of one search a side.
	history := map[string]map[metrics.Figure][]float64{"": {capacity: {100, 110, 90, 105, 95}}}
	got, err = compare.Compare(searched("BASE", day, exact(100)...), searched("NEW", day.Add(24*time.Hour), exact(94)...), compare.CompareOptions{History: history})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Results[0]; r.Verdict != stats.CannotTell || r.History != 5 {
		t.Errorf("%+v", r)
	}
}

func TestARuleOfTheCapacityIsOneForEachTier(t *testing.T) {
	rule, err := compare.ParseCompareRule("capacity.batch < -20%")
	if err != nil {
		t.Fatal(err)
	}
	all := []compare.CompareRule{compare.RuleFor(capacity), rule}
	base := searched("BASE", day, map[string]compare.Found{"batch": answered(100, 100, 100), "chat": answered(40, 40, 40)})
	fresh := searched("NEW", day.Add(24*time.Hour), map[string]compare.Found{"batch": answered(90, 90, 90), "chat": answered(30, 30, 30)})
	got, err := compare.Compare(base, fresh, compare.CompareOptions{Rules: all})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]stats.Verdict{"capacity.chat": stats.Worse, "capacity.batch": stats.NoDifference}
	if len(got.Results) != len(want) {
		t.Fatalf("%+v", got.Results)
	}
	for _, r := range got.Results {
		if r.Verdict != want[r.Metric] {
			t.Errorf("%s: %s, want %s", r.Metric, r.Verdict, want[r.Metric])
		}
	}
}

func TestCapacitiesOfOtherLoadsDoNotCompare(t *testing.T) {
	base, fresh := searched("BASE", day, one(answered(46, 45, 47))), searched("NEW", day, one(answered(20, 19, 21)))
	reason := func() string {
		got, err := compare.Compare(base, fresh, compare.CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r := got.Results[0]
		if got.Verdict != stats.CannotTell || r.Base != 46 && r.Base != 20 || r.New != 20 || r.Ratio.Defined() || got.Moved != nil {
			t.Errorf("%+v, moved %+v", r, got.Moved)
		}
		return r.Reason
	}
	fresh.Runs[0].Search.Unit = "requests/s"
	if got := reason(); got != "BASE is in users, NEW in requests/s" {
		t.Error(got)
	}
	within := answered(20, 19, 21)
	within.Limits = "ITL p95 ≤ 40 ms"
	fresh = searched("NEW", day, one(within))
	within.Limits = "ITL p95 ≤ 50 ms"
	base = searched("BASE", day, one(within))
	if got := reason(); got != "BASE was sought within ITL p95 ≤ 50 ms, NEW within ITL p95 ≤ 40 ms" {
		t.Error(got)
	}
}

func TestWhatMovedACapacityIsItsLimits(t *testing.T) {
	limit := func(name string, bound float64) metrics.Limit {
		l, err := metrics.ParseLimit(name, bound)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	itl, first := limit("itl.p95", 40), limit("ttft.p95", 500)
	base, fresh := answered(46, 45, 47), answered(38, 37, 39)
	base.Reached = []compare.Reached{{Limit: first, At: 46}, {Limit: itl, At: 52}}
	fresh.Reached = []compare.Reached{{Limit: first, At: 45}, {Limit: itl, At: 38}}
	got, err := compare.Compare(searched("BASE", day, one(base)), searched("NEW", day, one(fresh)), compare.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	none := bounded(1, compare.Below)
	none.Reached = []compare.Reached{{Limit: itl}}
	if got, err := compare.Compare(searched("BASE", day, one(base)), searched("NEW", day, one(none)), compare.CompareOptions{}); err != nil || got.Moved == nil || got.Moved.Text != "ITL p95 ≤ 40 ms is kept at no load, was met at 52" {
		t.Errorf("%+v, %v", got.Moved, err)
	}
	if m := got.Moved; m == nil || m.Part != compare.PartDecode || m.Text != "ITL p95 ≤ 40 ms is met at 38, was 52; TTFT p95 ≤ 500 ms is met at 45, was 46" {
		t.Errorf("%+v", m)
	}
}

// Nights of searches have a history of capacities, without the ones that found no end.
func TestAHistoryOfCapacities(t *testing.T) {
	var nights []compare.Night
	for i, f := range []compare.Found{answered(50, 49, 51), answered(50, 49, 51), answered(50, 49, 51), answered(50, 49, 51), bounded(64, compare.AtLeast), answered(40, 39, 41), answered(40, 39, 41), answered(40, 39, 41), answered(40, 39, 41)} {
		side := searched("night", day.Add(time.Duration(i)*24*time.Hour), one(f))
		nights = append(nights, compare.NightOf(side, []metrics.Figure{capacity}))
	}
	h := compare.HistoryOf(nights, compare.DefaultCompareRules())
	if len(h.Series) != 1 || len(h.Series[0].Values) != 8 {
		t.Fatalf("%+v", h.Series)
	}
	if got := h.Nights[4].Bound(h.Cells, capacity); got != "≥ 64" {
		t.Errorf("a night without an end bears %q", got)
	}
	changes := h.Series[0].Changes
	if len(changes) != 1 || changes[0].Night != 5 || !changes[0].Worse || math.Abs(changes[0].After-40) > 1e-9 {
		t.Errorf("%+v", changes)
	}
}

func TestNightsWithOtherLimitsAreNoHistoryOfACapacity(t *testing.T) {
	var nights []compare.Night
	for i, limits := range []string{"TTFT p95 ≤ 300 ms", "TTFT p95 ≤ 500 ms", "TTFT p95 ≤ 500 ms"} {
		f := answered(40, 39, 41)
		f.Limits = limits
		night := compare.NightOf(searched("night", day.Add(time.Duration(i)*24*time.Hour), one(f)), []metrics.Figure{capacity})
		night.Dir = string(rune('a' + i))
		nights = append(nights, night)
	}
	h := compare.HistoryOf(nights, compare.DefaultCompareRules())
	if len(h.Series) != 1 || len(h.Series[0].Values) != 2 || len(h.Others) != 1 || h.Others[0] != "a" || h.Unit(capacity) != "users" {
		t.Errorf("%+v, others %q, unit %q", h.Series, h.Others, h.Unit(capacity))
	}
	if _, ok := nights[0].Cells[0].Figures[capacity]; !ok {
		t.Error("the night itself was changed")
	}
}
