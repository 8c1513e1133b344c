package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// hostile is what a server or a file might say to whoever looks at a terminal:
// it clears it, sets its title, links, overwrites a line, and turns the text.
const hostile = "=cmd|'/C calc'!A0\x1b[2J\x1b]0;owned\x07\x1b]8;;http://x\x1b\\\u009b31m\r\x08\u202edesrever\u2066\x00\x7f"

// checkHarmless fails where anything that a person looks at acts, or a
// spreadsheet would calculate.
func (p product) checkHarmless(t *testing.T) {
	t.Helper()
	for name, text := range p {
		switch filepath.Ext(name) {
		case ".png", ".yaml": // a picture, and the user's own file
			continue
		case ".json", ".jsonl": // escaped: that these can be read is checked elsewhere
			text = strings.ToValidUTF8(text, "")
			if at := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }); at >= 0 {
				t.Errorf("%s holds %q", name, text[at:min(len(text), at+20)])
			}
			continue
		case ".csv":
			checkCells(t, name, text)
			text = strings.ReplaceAll(text, "\r\n", "\n")
		}
		for i, r := range text {
			if r != '\n' && r != '\t' && (unicode.Is(unicode.C, r) || r == '\u2028') {
				t.Errorf("%s holds %q: …%q…", name, r, text[max(0, i-60):min(len(text), i+30)])
				break
			}
		}
	}
}

func checkCells(t *testing.T, name, text string) {
	t.Helper()
	rows := csv.NewReader(strings.NewReader(text))
	rows.FieldsPerRecord = -1
	all, err := rows.ReadAll()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, row := range all {
		for _, cell := range row {
			if cell == "" || !strings.Contains("=+-@\t\r\n", cell[:1]) {
				continue
			}
			if _, err := strconv.ParseFloat(cell, 64); err != nil {
				t.Errorf("%s: the cell %.40q is calculated", name, cell)
				return
			}
		}
	}
}

// TestWhatAServerSaysIsData has the server say it everywhere.
func TestWhatAServerSaysIsData(t *testing.T) {
	w := way{told: func(*http.Request) string { return hostile }}
	wrote, status := runEcho(t, w)
	if status != 0 {
		t.Fatalf("status %d: %s", status, wrote["stderr"])
	}
	wrote.checkSound(t)
	wrote.checkHarmless(t)
	if records := wrote.file(t, "profile_export.jsonl"); !strings.Contains(records, "desrever") {
		t.Error("the server's words are lost")
	}
	t.Run("before a run", func(t *testing.T) {
		dir := t.TempDir()
		refused := mute(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fail(w, 401, hostile) }))
		unlisted := mute(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{"id": hostile}}})
		}))
		for _, url := range []string{refused, unlisted} {
			write(t, dir, "b.yaml", minimal("m", url))
			wrote, status := invoke(t, dir, nil, "--config-file", "b.yaml", "--offline")
			if status != 3 || !strings.Contains(wrote["stderr"], "desrever") {
				t.Errorf("status %d: %s", status, wrote["stderr"])
			}
			wrote.checkHarmless(t)
		}
	})
}

// TestWhatAFileSaysIsData has batch files, datasets and their names say it.
func TestWhatAFileSaysIsData(t *testing.T) {
	quoted, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == 0 || r == '\u009b' {
			return -1
		}
		return r
	}, hostile)
	url := mute(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { events(w, piece("an answer", "stop", hostile)) }))
	for what, c := range map[string]struct {
		more   string // lines of base_config
		sweeps string
		status int
	}{
		"the texts and ids of a dataset": {more: "  input_file: data.jsonl\n  custom_dataset_type: multi_turn\n", status: 0},
		"the name of a dataset":          {more: "  input_file: " + quoteYAML(name) + "\n  custom_dataset_type: single_turn\n", status: 0},
		"a dataset that is none":         {more: "  input_file: bad.jsonl\n  custom_dataset_type: single_turn\n", status: 2},
		"a dataset that is not there":    {more: "  input_file: " + quoteYAML("no"+name) + "\n  custom_dataset_type: single_turn\n", status: 2},
		"a tokenizer":                    {more: "  tokenizer: " + string(quoted) + "\n", status: -1},
		"a model":                        {sweeps: "sweeps: {model: [m, " + quoteYAML("=1+1\x1b[2J\u202e") + ", '@m', '-1', '-1+1']}\n", status: 0},
		"a body":                         {more: "  extra_inputs: {" + string(quoted) + ": " + string(quoted) + "}\n", status: 0},
		"a key":                          {more: "  " + string(quoted) + ": 1\n", status: 2},
		"a value":                        {more: "  streaming: " + string(quoted) + "\n", status: 2},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text, _ := json.Marshal("case 0 " + hostile)
			write(t, dir, "data.jsonl", fmt.Sprintf("{\"session_id\": %s, \"turns\": [{\"text\": %s, \"role\": \"user\"}, {\"text\": %s}]}\n", quoted, text, text))
			write(t, dir, name, "{\"text\": \"case 0\"}\n")
			write(t, dir, "bad.jsonl", string(quoted)+"\n{"+string(quoted)+": 1}\n")
			file := minimal("m", url) + c.more
			if strings.Contains(c.more, "input_file") {
				file = strings.Replace(file, "  prompt_input_tokens_mean: 10\n", "", 1)
			}
			if c.sweeps != "" {
				file = strings.Replace(file, "  model: m\n", "", 1) + c.sweeps
			}
			write(t, dir, name+".yaml", file)
			for _, more := range [][]string{{"--dry-run"}, nil} {
				args := append([]string{"--config-file", name + ".yaml", "--ui", "plain", "--verbose", "--offline", "--allow-invalid", "--no-check"}, more...)
				wrote, status := invoke(t, dir, nil, args...)
				if c.status >= 0 && status != c.status && more == nil {
					t.Errorf("status %d: %s", status, wrote["stderr"])
				}
				wrote.checkSound(t)
				wrote.checkHarmless(t)
			}
		})
	}
}

// TestATraceFromElsewhereIsData analyses traces that say it.
func TestATraceFromElsewhereIsData(t *testing.T) {
	said, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	step := func(kind string, at float64, id string) string {
		return fmt.Sprintf(`{"payload":{"event_type":%q,"event_timestamp":%g,"span_event_timestamp":1,"framework":%s,"name":%s,"UUID":%q,"data":{"input":%s,"output":%s}},`+
			`"function_ancestry":{"function_name":%s,"function_id":"f","parent_id":"p","parent_name":%s}}`, kind, at, said, said, id, said, said, said, said)
	}
	steps := strings.Join([]string{
		step("LLM_START", 1, "a"), step("TOOL_START", 1.1, "b"), step("TOOL_END", 1.5, "b"), step("LLM_END", 2, "a"),
		strings.Replace(step("X", 3, "c"), `"X"`, string(said), 1),
	}, ",")
	dir := t.TempDir()
	name := "t\x1b[2J\u202e.json"
	write(t, dir, name, `[{"request_number":0,"intermediate_steps":[`+steps+`]}]`)
	write(t, dir, "none.json", string(said))
	for _, args := range [][]string{
		{"analyze", name, "--output-dir", "out", "--patterns", "--prediction-trie", "--forecast"},
		{"analyze", name, "--no-files"},
		{"analyze", "none.json"},
		{"analyze", "no" + name},
		{"analyze", "--" + hostile[:20]},
	} {
		wrote, _ := invoke(t, dir, nil, args...)
		wrote.checkSound(t)
		wrote.checkHarmless(t)
		if args[1] == name && !strings.Contains(wrote["stdout"], "desrever") && len(args) > 3 {
			t.Errorf("the trace was not read: %s", wrote["stderr"])
		}
	}
	// What was written can be read again.
	wrote, status := invoke(t, dir, nil, "analyze", "out/standardized_data_all.csv", "--no-files")
	if status != 0 {
		t.Errorf("status %d: %s", status, wrote["stderr"])
	}
	wrote.checkHarmless(t)
}
