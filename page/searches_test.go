package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/page"
)

func TestAChartOfASearchHasItsAnswer(t *testing.T) {
	// One set of probes serves both tiers: its margins are held against the limit of the
	// first, and are drawn against that of each.
	const probes = `[{"load": 10, "dir": "x", "margins": [{"name": "time_to_first_token.p95", "bound": 1000, "observed": 100}]},
		{"load": 50, "dir": "x", "margins": [{"name": "time_to_first_token.p95", "bound": 1000, "observed": 400}]}]`
	const tier = `{"name": %q, "answer": "so much", "status": %q, "limits": [{"name": "time_to_first_token.p95", "bound": %d}], "capacity": 46, "lower": 44, "upper": 48}`
	dir := batch(t, made{values: value("concurrency", 10), verdict: "VALID"})
	text := fmt.Sprintf(`{"capacities": [{"sweep_params": {}, "over": "concurrency", "unit": "users", "tiers": [%s, %s, %s], "probes": %s}]}`,
		fmt.Sprintf(tier, "batch", "no_fail", 1000), fmt.Sprintf(tier, "chat", "found", 300), fmt.Sprintf(tier, "voice", "open", 200), probes)
	if err := os.WriteFile(filepath.Join(dir, "capacity.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	shown, err := page.HTML([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for what, times := range map[string]int{
		">TTFT p95 ≤ 1000 ms<": 1, ">TTFT p95 ≤ 300 ms<": 1, ">TTFT p95 ≤ 200 ms<": 1, // the series of each tier
		">capacity: 46 users<": 1, ">interval of the capacity<": 1, ">borne: at least 44 users<": 1, // and none of one without an answer
	} {
		if got := strings.Count(string(shown), what); got != times {
			t.Errorf("the page has %q %d times, want %d", what, got, times)
		}
	}
}

func TestAPageSaysHowFarWhatASearchFoundGoes(t *testing.T) {
	const tier = `{"name": %q, "answer": "so much", "status": %q, "certified": %v, "limits": [], "capacity": 46, "lower": 44, "upper": 48}`
	dir := batch(t, made{values: value("concurrency", 10), verdict: "VALID"})
	for name, text := range map[string]string{
		"batch.json": `{"cells": [{"index": 0, "sweep_params": {"streaming": true}}, {"index": 1, "sweep_params": {"streaming": false}}]}`,
		"capacity.json": fmt.Sprintf(`{"capacities": [{"sweep_params": {"streaming": true}, "over": "concurrency", "unit": "users", "tiers": [%s, %s, %s, %s], "probes": []}]}`,
			fmt.Sprintf(tier, "sure", "found", true), fmt.Sprintf(tier, "near", "found", false), fmt.Sprintf(tier, "late", "open", false), fmt.Sprintf(tier, "low", "no_pass", false)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := page.HTML([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<p class="answer ">Streaming=true: sure: so much.`, `<p class="answer doubtful">Streaming=true: near: so much.`, `<p class="answer bad">Streaming=true: late: so much.`, `<p class="answer bad">Streaming=true: low: so much.`,
		`<p class="answer bad">Streaming=false: sure: is not known: no probe of the search came to its end.`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
