//go:build unix

package chaos_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A line is what is checked of a line of profile_export.jsonl.
type line struct {
	Metadata struct {
		RequestID string `json:"x_request_id"`
		Cancelled bool   `json:"was_cancelled"`
	} `json:"metadata"`
	Own struct {
		Failure *struct {
			Kind string `json:"kind"`
		} `json:"failure"`
	} `json:"loadgen"`
}

// readLines returns the lines of a file, which must be whole but for the last
// where that may be cut.
func readLines(t *testing.T, path string, mayBeCut bool) []line {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []line
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if len(text) == 0 {
			return lines
		}
		var l line
		if jerr := json.Unmarshal(text, &l); jerr != nil {
			if err != nil && mayBeCut {
				return lines
			}
			t.Errorf("%s: line %d: %v", path, len(lines)+1, jerr)
			return lines
		}
		lines = append(lines, l)
	}
}

// recorded returns the ids of all requests that have a line anywhere below a
// directory.
func recorded(t *testing.T, dir string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	walk(t, dir, func(path string) {
		if strings.HasSuffix(path, ".jsonl") {
			for _, l := range readLines(t, path, true) {
				ids[l.Metadata.RequestID] = true
			}
		}
	})
	return ids
}

// walk calls each with every file below a directory.
func walk(t *testing.T, dir string, each func(path string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			each(path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// wholeJSON checks that every JSON file below a directory can be read. A kill in the
// midst of a write may have cut the prompts of a run off, which then has no end either.
func wholeJSON(t *testing.T, dir string) {
	t.Helper()
	walk(t, dir, func(path string) {
		if !strings.HasSuffix(path, ".json") {
			return
		}
		data, err := os.ReadFile(path)
		if filepath.Base(path) == "inputs.json" {
			if _, none := os.Stat(filepath.Join(filepath.Dir(path), "process_result.json")); none != nil && err == nil {
				return
			}
		}
		if err != nil || !json.Valid(data) {
			t.Errorf("%s is no whole JSON file (%d bytes): %v", path, len(data), err)
		}
	})
}

// A summary is what is checked of batch_summary.json.
type summary struct {
	Runs []struct {
		Dir     string         `json:"dir"`
		Params  map[string]any `json:"sweep_params"`
		Status  string         `json:"status"`
		Error   string         `json:"error"`
		Verdict string         `json:"verdict"`
		Counts  struct {
			Issued    int `json:"issued"`
			OK        int `json:"ok"`
			Failed    int `json:"failed"`
			Cancelled int `json:"cancelled"`
		} `json:"counts"`
	} `json:"runs"`
}

func readSummary(t *testing.T, batch string) summary {
	t.Helper()
	var s summary
	data, err := os.ReadFile(filepath.Join(batch, "batch_summary.json"))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		t.Errorf("the batch has no summary: %v", err)
	}
	return s
}
