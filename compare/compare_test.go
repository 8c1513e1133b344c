package compare_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/stats"
)

var (
	ttft        = metrics.Figure{Tag: "time_to_first_token", Stat: "p95"}
	throughput1 = metrics.Figure{Tag: "output_token_throughput", Stat: "avg"}
	errs        = metrics.Figure{Tag: metrics.ErrorRate, Stat: "avg"}
	day         = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
)

// runsOf makes runs of one cell, ten minutes apart from a start on.
func runsOf(name string, users any, f metrics.Figure, start time.Time, values ...float64) []compare.CompareRun {
	var runs []compare.CompareRun
	for i, v := range values {
		at := start.Add(time.Duration(i) * 10 * time.Minute)
		runs = append(runs, compare.CompareRun{
			Dir: name + string(rune('a'+i)), Cell: []loadgen.Value{{Key: "concurrency", Value: users}},
			Started: at, Ended: at.Add(time.Minute), Figures: map[metrics.Figure]float64{f: v},
		})
	}
	return runs
}

func sideOf(name string, runs ...[]compare.CompareRun) compare.CompareSide {
	s := compare.CompareSide{Name: name}
	for _, r := range runs {
		s.Runs = append(s.Runs, r...)
	}
	return s
}

func only(f metrics.Figure) compare.CompareOptions {
	return compare.CompareOptions{Rules: []compare.CompareRule{compare.RuleFor(f)}}
}

func TestCompareOneCell(t *testing.T) {
	for name, c := range map[string]struct {
		figure      metrics.Figure
		base, fresh []float64
		want        stats.Verdict
	}{
		"a tenth slower, little noise":     {ttft, []float64{100, 101, 99}, []float64{110, 111, 109}, stats.Worse},
		"a tenth faster":                   {ttft, []float64{100, 101, 99}, []float64{90, 91, 89}, stats.Better},
		"less throughput":                  {throughput1, []float64{100, 101, 99}, []float64{90, 91, 89}, stats.Worse},
		"the same":                         {ttft, []float64{100, 101, 99}, []float64{100, 99, 101}, stats.NoDifference},
		"noise hides it":                   {ttft, []float64{100, 140, 70}, []float64{110, 150, 80}, stats.CannotTell},
		"sure, but within the margin":      {ttft, []float64{100, 100.1, 99.9}, []float64{103, 103.1, 102.9}, stats.NoDifference},
		"one run a side":                   {ttft, []float64{100}, []float64{200}, stats.CannotTell},
		"a figure of 0":                    {ttft, []float64{100, 101}, []float64{0, 100}, stats.CannotTell},
		"no errors":                        {errs, []float64{0, 0, 0}, []float64{0, 0, 0}, stats.NoDifference},
		"errors from nothing to 3 %":       {errs, []float64{0, 0, 0}, []float64{0.03, 0.031, 0.029}, stats.Worse},
		"errors go away":                   {errs, []float64{0.03, 0.031, 0.029}, []float64{0, 0, 0}, stats.Better},
		"a few errors are below one point": {errs, []float64{0, 0, 0}, []float64{0.001, 0, 0.001}, stats.NoDifference},
		"everything fails":                 {errs, []float64{0, 0, 0}, []float64{1, 1, 1}, stats.Worse},
	} {
		got, err := compare.Compare(
			sideOf("BASE", runsOf("b", 1, c.figure, day, c.base...)),
			sideOf("NEW", runsOf("n", 1, c.figure, day.Add(24*time.Hour), c.fresh...)), only(c.figure))
		if err != nil {
			t.Fatal(name, err)
		}
		if got.Verdict != c.want || len(got.Results) != 1 {
			t.Errorf("%s: %s, want %s: %+v", name, got.Verdict, c.want, got.Results)
		}
	}
}

func TestCompareMatchesCellsByValue(t *testing.T) {
	base := sideOf("BASE", runsOf("b", 1, ttft, day, 100, 101), runsOf("b4", 4, ttft, day, 100, 101), runsOf("b9", 9, ttft, day, 1, 1))
	fresh := sideOf("NEW", runsOf("n4", 4.0, ttft, day, 100, 101), runsOf("n1", "1", ttft, day, 100, 101), runsOf("n16", 16, ttft, day, 1, 1))
	got, err := compare.Compare(base, fresh, only(ttft))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 2 || len(got.Unmatched) != 2 {
		t.Fatalf("%d results and %d unmatched, want 2 and 2", len(got.Results), len(got.Unmatched))
	}
	if u := got.Unmatched; u[0] != (compare.Unmatched{Side: "BASE", Cell: "concurrency=9", Runs: 2}) || u[1].Cell != "concurrency=16" {
		t.Errorf("unmatched: %v", u)
	}
}

func TestCompareLeavesUnfitRunsOut(t *testing.T) {
	fresh := sideOf("NEW", runsOf("n", 1, ttft, day, 100, 500, 500, 101))
	fresh.Runs[1].Validity = metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Text: "the CPU was full"}}}
	fresh.Runs[2].Unfit = "it was cancelled"
	got, err := compare.Compare(sideOf("BASE", runsOf("b", 1, ttft, day, 100, 101)), fresh, only(ttft))
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != stats.NoDifference || got.New.Runs != 2 {
		t.Errorf("%s with %d runs, want no difference with 2", got.Verdict, got.New.Runs)
	}
	if l := got.LeftOut; len(l) != 2 || l[0].Why != "INVALID: the CPU was full" || l[1].Why != "it was cancelled" {
		t.Errorf("left out: %v", l)
	}

	fresh.Runs[0].Unfit, fresh.Runs[3].Unfit = "lost", "lost"
	if _, err := compare.Compare(sideOf("BASE", runsOf("b", 1, ttft, day, 100)), fresh, only(ttft)); !errors.Is(err, compare.ErrNothingToCompare) || !strings.Contains(err.Error(), "no run of NEW is fit") {
		t.Errorf("without a fit run: %v", err)
	}
}

func TestComparePairsWhatTookTurns(t *testing.T) {
	// The rounds double from one to the next; within a round NEW is a tenth
	// slower.
	base := runsOf("b", 1, ttft, day, 100, 200, 400, 800)
	fresh := runsOf("n", 1, ttft, day.Add(5*time.Minute), 110, 220, 440, 880)
	got, err := compare.Compare(sideOf("BASE", base), sideOf("NEW", fresh), only(ttft))
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Results[0]; r.Verdict != stats.Worse || !r.Paired {
		t.Errorf("in turns: %s, by round %v: %+v", r.Verdict, r.Paired, r)
	}
	for i := range fresh { // the same, an hour later
		fresh[i].Started = fresh[i].Started.Add(time.Hour)
	}
	got, err = compare.Compare(sideOf("BASE", base), sideOf("NEW", fresh), only(ttft))
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Results[0]; r.Verdict != stats.CannotTell || r.Paired {
		t.Errorf("one after the other: %s, by round %v", r.Verdict, r.Paired)
	}
}

func conditions(c *compare.Comparison) string {
	var kinds []string
	for _, d := range c.Conditions {
		kinds = append(kinds, string(d.Kind))
	}
	return strings.Join(kinds, " ")
}

func TestCompareNamesWhatWeakensIt(t *testing.T) {
	host := func(runs []compare.CompareRun, key, value string) []compare.CompareRun {
		for i := range runs {
			runs[i].Conditions = append(runs[i].Conditions, compare.Setting{Key: key, Value: value})
		}
		return runs
	}
	steady := func(name string, start time.Time) []compare.CompareRun {
		return runsOf(name, 1, ttft, start, 100, 101, 99)
	}
	for name, c := range map[string]struct {
		base, fresh []compare.CompareRun
		want        string
	}{
		"a night apart":    {steady("b", day), steady("n", day.Add(24*time.Hour)), "sides_apart"},
		"in one night":     {steady("b", day), steady("n", day.Add(40*time.Minute)), "not_interleaved"},
		"in turns":         {steady("b", day), steady("n", day.Add(5*time.Minute)), ""},
		"another machine":  {host(steady("b", day), "host.hostname", "a"), host(steady("n", day.Add(5*time.Minute)), "host.hostname", "b"), "hosts_differ"},
		"another tool":     {host(steady("b", day), compare.SettingTool, "aiperf"), host(steady("n", day.Add(5*time.Minute)), compare.SettingTool, "loadgen"), "tools_differ"},
		"one run a side":   {runsOf("b", 1, ttft, day, 100), runsOf("n", 1, ttft, day.Add(5*time.Minute), 100), "not_interleaved one_run_a_side"},
		"times not known":  {runsOf("b", 1, ttft, time.Time{}.Add(-10*time.Minute), 100, 101, 99)[1:2], steady("n", day), "times_unknown one_run_a_side"},
		"blocks of a cell": {append(steady("b", day), runsOf("b4", 4, ttft, day.Add(time.Hour), 100, 101, 99)...), append(steady("n", day), runsOf("n4", 4, ttft, day.Add(time.Hour), 100, 101, 99)...), "repeats_in_blocks repeats_in_blocks"},
	} {
		got, err := compare.Compare(sideOf("BASE", c.base), sideOf("NEW", c.fresh), only(ttft))
		if err != nil {
			t.Fatal(name, err)
		}
		if conditions(got) != c.want {
			t.Errorf("%s: %q, want %q", name, conditions(got), c.want)
		}
	}
}

func TestCompareTakesBackWhatDriftCouldDo(t *testing.T) {
	climb := []float64{100, 103, 106, 109, 112, 115}
	further := []float64{120, 123.6, 127.2, 130.8, 134.4, 138} // a fifth above, climbing on
	far := []float64{300, 309, 318, 327, 336, 345}
	for name, c := range map[string]struct {
		fresh []float64
		want  stats.Verdict
	}{
		"a climb goes on":             {further, stats.CannotTell},
		"far beyond what a side made": {far, stats.Worse},
	} {
		got, err := compare.Compare(
			sideOf("BASE", runsOf("b", 1, ttft, day, climb...)),
			sideOf("NEW", runsOf("n", 1, ttft, day.Add(2*time.Hour), c.fresh...)), only(ttft))
		if err != nil {
			t.Fatal(err)
		}
		if r := got.Results[0]; r.Verdict != c.want || !strings.Contains(conditions(got), "drift") {
			t.Errorf("%s: %s (%s), conditions %s; want %s and drift", name, r.Verdict, r.Reason, conditions(got), c.want)
		}
	}
}

func TestCompareSettings(t *testing.T) {
	with := func(runs []compare.CompareRun, settings ...compare.Setting) []compare.CompareRun {
		for i := range runs {
			runs[i].Conditions = settings
		}
		return runs
	}
	base := with(runsOf("b", 1, ttft, day, 100, 101), compare.Setting{Key: "model", Value: "a"}, compare.Setting{Key: "url", Value: "x"}, compare.Setting{Key: "version", Value: "1"})
	fresh := with(runsOf("n", 1, ttft, day, 100, 101), compare.Setting{Key: "model", Value: "b"}, compare.Setting{Key: "url", Value: "x"})
	fresh[0].Conditions = append([]compare.Setting{}, fresh[0].Conditions...)
	fresh[0].Conditions[1].Value = "y"
	got, err := compare.Compare(sideOf("BASE", base), sideOf("NEW", fresh), only(ttft))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, d := range got.Differences {
		told = append(told, d.Key+": "+d.Base+" → "+d.New)
	}
	want := "model: a → b; url: x → x | y; version: 1 → unset"
	if strings.Join(told, "; ") != want {
		t.Errorf("differences %q, want %q", strings.Join(told, "; "), want)
	}
}

func TestCompareGuessesTheCause(t *testing.T) {
	figure := func(tag string) metrics.Figure { return metrics.Figure{Tag: tag, Stat: "avg"} }
	cell := func(users int, ttftAvg, itl, osl, errorRate float64) []compare.CompareRun {
		runs := runsOf("r", users, ttft, day, ttftAvg*2, ttftAvg*2.02)
		for i := range runs {
			f := runs[i].Figures
			f[figure("time_to_first_token")], f[figure("inter_token_latency")], f[figure("output_sequence_length")] = ttftAvg, itl, osl
			f[figure("request_latency")] = ttftAvg + itl*(osl-1)
			f[figure("input_sequence_length")], f[figure("effective_concurrency")] = 100, float64(users)
			f[metrics.Figure{Tag: "time_to_first_token", Stat: "p50"}] = ttftAvg
			f[errs] = errorRate
		}
		return runs
	}
	rules := compare.CompareOptions{Rules: []compare.CompareRule{compare.RuleFor(ttft), compare.RuleFor(figure("request_latency")), compare.RuleFor(errs)}}
	base := sideOf("BASE", cell(1, 50, 10, 100, 0), cell(16, 80, 12, 100, 0))
	for name, c := range map[string]struct {
		fresh compare.CompareSide
		want  compare.Part
	}{
		"every token slower":             {sideOf("NEW", cell(1, 50, 12, 100, 0), cell(16, 80, 15, 100, 0)), compare.PartDecode},
		"longer answers":                 {sideOf("NEW", cell(1, 50, 10, 150, 0), cell(16, 80, 12, 150, 0)), compare.PartTokens},
		"a first token late at any load": {sideOf("NEW", cell(1, 100, 10, 100, 0), cell(16, 165, 12, 100, 0)), compare.PartPrefill},
		"a first token late under load":  {sideOf("NEW", cell(1, 50, 10, 100, 0), cell(16, 400, 12, 100, 0)), compare.PartQueue},
		"requests fail":                  {sideOf("NEW", cell(1, 50, 10, 100, 0.2), cell(16, 80, 12, 100, 0.2)), compare.PartErrors},
	} {
		got, err := compare.Compare(base, c.fresh, rules)
		if err != nil {
			t.Fatal(err)
		}
		if got.Moved == nil || got.Moved.Part != c.want {
			t.Errorf("%s: %+v, want %s", name, got.Moved, c.want)
		}
	}
}

func TestParseCompareRule(t *testing.T) {
	for text, want := range map[string]struct {
		figure string
		higher bool
		margin float64
	}{
		"time_to_first_token.p95 > +5%":   {"time_to_first_token.p95", false, 0.05},
		"ttft.p95>5%":                     {"time_to_first_token.p95", false, 0.05},
		"output_token_throughput < -20%":  {"output_token_throughput", true, 0.25}, // ÷ 0.8 is × 1.25
		"error_rate >= +1%":               {"error_rate", false, 0.01},
		"output_sequence_length.avg > 2%": {"output_sequence_length.avg", false, 0.02},
	} {
		r, err := compare.ParseCompareRule(text)
		if err != nil || r.Figure.String() != want.figure || r.Higher != want.higher || r.Margin < want.margin-1e-9 || r.Margin > want.margin+1e-9 || !r.Gated {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
	for _, text := range []string{
		"", "ttft.p95", "ttft.p95 > 5", "ttft.p95 > -5%", "ttft.p95 < 5%", "speed > 5%", "ttft.p97 > 5%",
		"error_rate < -1%", "throughput < -100%", "ttft.p95 > +0%", "ttft.p95 > NaN%", "ttft.p95 > 5% and more",
	} {
		if r, err := compare.ParseCompareRule(text); err == nil {
			t.Errorf("%q was taken as %+v", text, r)
		}
	}
}
