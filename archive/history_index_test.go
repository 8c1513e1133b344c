package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/archive"
	"loadgen/metrics"
)

func TestNightsAreReadFromTheIndex(t *testing.T) {
	root := filepath.Join(t.TempDir(), "chat")
	dir := func(day int) string { return filepath.Join(root, fmt.Sprintf("2026030%d_020000", day)) }
	summary := func(day int, text string) {
		if err := os.WriteFile(filepath.Join(dir(day), "batch_summary.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for day := 1; day <= 3; day++ {
		putRun(t, dir(day), float64(100*day), "")
		summary(day, "{}")
	}
	read := func(rebuild bool, more ...metrics.Figure) string {
		t.Helper()
		nights, err := archive.Nights(root, rebuild, more)
		if err != nil {
			t.Fatal(err)
		}
		var values []string
		for _, n := range nights {
			values = append(values, fmt.Sprint(n.Cells[0].Figures[ttft]))
		}
		return strings.Join(values, " ")
	}
	if got := read(false); got != "100 200 300" {
		t.Fatalf("first read: %s", got)
	}
	putRun(t, dir(1), 111, "") // changed behind the index's back: its summary did not
	putRun(t, dir(2), 222, "")
	summary(2, "{ }")
	putRun(t, dir(4), 400, "")
	if got := read(false); got != "100 222 300 400" {
		t.Errorf("with an index: %s, want only what changed to be read again", got)
	}
	if got := read(true); got != "111 222 300 400" {
		t.Errorf("rebuilt: %s", got)
	}
	if got := read(false, metrics.Figure{Tag: "request_count", Stat: "avg"}); got != "111 222 300 400" {
		t.Errorf("with a further figure: %s", got)
	}
	index := filepath.Join(root, archive.IndexName)
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoilt := range map[string]string{
		"cut off": string(text[:len(text)-20]), "of another version": `{"schema_version":"0"}` + "\n", "no index": "hello\n", "empty": "",
	} {
		if err := os.WriteFile(index, []byte(spoilt), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(false); got != "111 222 300 400" {
			t.Errorf("an index that is %s: %s", name, got)
		}
	}
	if err := os.RemoveAll(dir(3)); err != nil {
		t.Fatal(err)
	}
	if got := read(false); got != "111 222 400" {
		t.Errorf("after a night was removed: %s", got)
	}
}

func TestNightsDir(t *testing.T) {
	root := t.TempDir()
	putRun(t, filepath.Join(root, "chat", "20260301_020000"), 1, "")
	for _, path := range []string{root, filepath.Join(root, "chat"), filepath.Join(root, "chat", "20260301_020000")} {
		if got, err := archive.NightsDir(path); err != nil || got != filepath.Join(root, "chat") {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	putRun(t, filepath.Join(root, "code", "20260301_020000"), 1, "")
	if _, err := archive.NightsDir(root); err == nil || !strings.Contains(err.Error(), "chat, code") {
		t.Errorf("two names: %v", err)
	}
	if _, err := archive.NightsDir(filepath.Join(root, "nowhere")); err == nil {
		t.Error("nowhere holds nights")
	}
}
