package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// compared is comparison.json with one figure of a cell, as far as a page shows it.
func compared(verdict, cell string) string {
	return fmt.Sprintf(`{"schema_version":"1.0","verdict":%q,"base":{"name":"BASE","paths":["results/night/1"],"runs":5,"cells":1},
"results":[{"cell":%q,"metric":"time_to_first_token.p95","unit":"ms","base_mean":50,"new_mean":60,"ratio":1.2,"lower":1.1,"upper":1.3,"verdict":%q}]}`, verdict, cell, verdict)
}

func TestWhatChangedSinceTheBaselineIsAnAnswer(t *testing.T) {
	for _, tc := range []struct{ verdict, want string }{
		{"worse", "Worse than the baseline results/night/1: time_to_first_token.p95 at concurrency=4 +20.0 % (+10.0 % to +30.0 %)."},
		{"better", "Better than the baseline results/night/1"},
		{"no difference", "No difference from the baseline results/night/1 that matters."},
		{"cannot tell", "The runs cannot tell whether they are worse than the baseline results/night/1."},
	} {
		dir := batch(t, made{values: value("concurrency", 4), verdict: "VALID"})
		if err := os.WriteFile(filepath.Join(dir, "comparison.json"), []byte(compared(tc.verdict, "concurrency=4")), 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(html(t, dir), "&#43;", "+")
		for _, want := range []string{tc.want, "Against the baseline", "50 → 60 ms"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q", tc.verdict, want)
			}
		}
	}
}

func TestABrokenComparisonIsTold(t *testing.T) {
	dir := batch(t, made{verdict: "VALID"})
	if err := os.WriteFile(filepath.Join(dir, "comparison.json"), []byte(compared("worse", "")[:60]), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := html(t, dir); !strings.Contains(text, "comparison.json: unexpected end of JSON input") {
		t.Error("it is not told")
	}
}
