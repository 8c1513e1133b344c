package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/page"
)

// bearing writes a batch of a search that found a capacity within a limit of the TTFT.
func bearing(t *testing.T, capacity, lower, upper, limit string) string {
	t.Helper()
	dir := batch(t, made{values: value("concurrency", 4), verdict: "VALID"})
	text := fmt.Sprintf(`{"capacities": [{"sweep_params": {}, "over": "concurrency", "unit": "users", "confidence": 0.95, "tiers": [{"answer": "carries %s users", "status": "found",
		"limits": [{"name": "time_to_first_token.p95", "bound": %s}], "capacity": %s, "lower": %s, "upper": %s, "certified": true}], "probes": []}]}`, capacity, limit, capacity, lower, upper)
	if err := os.WriteFile(filepath.Join(dir, "capacity.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatNightsBearIsOneChart(t *testing.T) {
	a, b, c := bearing(t, "46", "45", "47", "500"), bearing(t, "41", "40", "null", "500"), bearing(t, "12", "12", "12", "100")
	for _, row := range []struct {
		name  string
		of    []string
		want  []string
		lacks []string
	}{
		{"two nights", []string{a, b}, []string{">Capacity<", ">46<", ">41<", "With the interval of each"}, []string{"left out"}},
		{"one that was asked for other limits before", []string{c, a, b}, []string{">46<", ">41<", "are left out"}, []string{">12<"}},
		{"nothing to hold against the last", []string{a, c}, nil, []string{"With the interval of each"}},
	} {
		text, err := page.HTML(row.of)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range row.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: the page lacks %q", row.name, want)
			}
		}
		for _, not := range row.lacks {
			if strings.Contains(string(text), not) {
				t.Errorf("%s: the page has %q", row.name, not)
			}
		}
	}
}
