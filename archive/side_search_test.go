package archive_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/stats"
)

// TestASearchIsOneRunOfAComparison makes a search in virtual time, and holds it against
// the same with another answer: no probe has a say by itself.
func TestASearchIsOneRunOfAComparison(t *testing.T) {
	_, base := made(t, append(strings.Fields("base_config.prompt_input_tokens_mean=8 base_config.prompt_output_tokens_mean=10 base_config.benchmark_duration=2 search.over=concurrency search.to=4 search.slos.ttft.p95=120"),
		"mock={timing: batching, prefill_base: 1ms, prefill_per_token: 0s, decode_base: 20ms, decode_per_seq: 0s, jitter: 0.05, max_num_seqs: 2}"), 0, 0)
	found, err := results.ReadCapacities(base)
	if err != nil {
		t.Fatal(err)
	}
	if c := found[0].Tiers[0].Capacity; c != 2 {
		t.Fatalf("two seats bear %v", c)
	}
	fresh := t.TempDir()
	if err := os.CopyFS(fresh, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	replaceIn(t, filepath.Join(fresh, results.CapacityJSONName), `"capacity": 2`, `"capacity": 1`, `"lower": 2`, `"lower": 1`, `"upper": 2`, `"upper": 1`)
	replaceIn(t, filepath.Join(fresh, found[0].Probes[0].Dir, results.MetadataName), `"grace_period": 30`, `"grace_period": 31`)
	got, err := archive.Comparing{Base: []string{base}, New: []string{fresh}, History: []string{"none"}}.Compare()
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != stats.Worse || len(got.Results) != 1 || len(got.Unmatched) > 0 || len(got.LeftOut) > 0 {
		t.Fatalf("%s: %+v %+v %+v", got.Verdict, got.Results, got.Unmatched, got.LeftOut)
	}
	r := got.Results[0]
	if r.Metric != "capacity" || r.Unit != "users" || r.Base != 2 || r.New != 1 || r.BaseRuns != 1 || r.NewRuns != 1 {
		t.Errorf("%+v", r)
	}
	differs := func(key string) bool {
		return slices.ContainsFunc(got.Differences, func(d compare.Difference) bool { return d.Key == key })
	}
	if !differs("grace_period") || differs("concurrency") || differs("search.limits") {
		t.Errorf("differences %+v", got.Differences)
	}

	// Two probes of it that are named are runs like others.
	probes := []string{filepath.Join(base, found[0].Probes[0].Dir), filepath.Join(fresh, found[0].Probes[0].Dir)}
	two, err := archive.Comparing{Base: probes[:1], New: probes[1:], History: []string{"none"}}.Compare()
	if err != nil {
		t.Fatal(err)
	}
	if len(two.Results) < 4 || two.Results[0].Metric != "time_to_first_token.p50" {
		t.Errorf("%+v", two.Results)
	}

	// A search that was killed has no say, and says why.
	if err := os.Remove(filepath.Join(fresh, results.CapacityJSONName)); err != nil {
		t.Fatal(err)
	}
	reader := &archive.SideReader{}
	side, err := reader.Read("NEW", []string{fresh})
	if err != nil {
		t.Fatal(err)
	}
	if len(side.Runs) != 1 || !side.Runs[0].Mute() || !strings.Contains(side.Runs[0].Unfit, "broken off") {
		t.Errorf("%+v", side.Runs)
	}
}

// TestSearchesOfCellsAndTiersAreComparedEach reads searches from hand-written files.
func TestSearchesOfCellsAndTiersAreComparedEach(t *testing.T) {
	night := func(quick, slow string) string {
		dir := t.TempDir()
		write := func(name, text string) {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(results.ManifestName, "{}")
		cell := func(length, quick, slow string) string {
			probe := "search/prompt_input_tokens_mean" + length + "/concurrency4/probe_0001"
			write(probe+"/"+results.MetadataName, `{"loadgen": {"version": "1"}}`)
			write(probe+"/"+results.JSONName, `{"start_time": "2026-03-01T02:00:00", "end_time": "2026-03-01T02:01:00", "loadgen": {"version": "1"}}`)
			tier := func(name, answer string) string {
				return `{"name": "` + name + `", "status": "found", "certified": true, "limits": [{"name": "time_to_first_token.p95", "bound": 100}], ` + answer + `}`
			}
			return `{"sweep_params": {"prompt_input_tokens_mean": ` + length + `}, "over": "concurrency", "unit": "users", "confidence": 0.95,
				"tiers": [` + tier("quick", quick) + `, ` + tier("slow", slow) + `], "probes": [{"load": 4, "dir": "` + probe + `"}]}`
		}
		exact := `"capacity": 20, "lower": 20, "upper": 20`
		write(results.CapacityJSONName, `{"capacities": [`+cell("8", exact, exact)+`, `+cell("16", quick, slow)+`]}`)
		return dir
	}
	base := night(`"capacity": 20, "lower": 19, "upper": 21`, `"capacity": 40, "lower": 40, "upper": 40`)
	fresh := night(`"capacity": 20, "lower": 12, "upper": 33`, `"capacity": 36, "lower": 36, "upper": null`)
	got, err := archive.Comparing{Base: []string{base}, New: []string{fresh}, History: []string{"none"}}.Compare()
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range got.Results {
		rows = append(rows, r.Cell+" "+r.Metric+" "+string(r.Verdict))
	}
	want := []string{
		"prompt_input_tokens_mean=16 capacity.quick cannot tell", "prompt_input_tokens_mean=16 capacity.slow cannot tell",
		"prompt_input_tokens_mean=8 capacity.quick no difference", "prompt_input_tokens_mean=8 capacity.slow no difference",
	}
	if !slices.Equal(rows, want) || got.Verdict != stats.CannotTell || got.Base.Searches != 2 {
		t.Errorf("%q, verdict %s", rows, got.Verdict)
	}

	// One of the cells, by its directory.
	reader := &archive.SideReader{}
	side, err := reader.Read("BASE", []string{filepath.Join(base, "search", "prompt_input_tokens_mean16")})
	if err != nil {
		t.Fatal(err)
	}
	if len(side.Runs) != 1 || compare.CellKey(side.Runs[0].Cell) != "prompt_input_tokens_mean=16" {
		t.Fatalf("%+v", side.Runs)
	}
	if v := side.Runs[0].Figures[metrics.Figure{Tag: metrics.Capacity, Stat: "quick"}]; v != 20 {
		t.Errorf("%+v", side.Runs[0].Figures)
	}
}

// replaceIn replaces texts of a file, which it must have.
func replaceIn(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			t.Fatalf("%s lacks %s", path, pairs[i])
		}
	}
	if err := os.WriteFile(path, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}
