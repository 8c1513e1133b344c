package synth_test

import (
	"strings"
	"testing"

	"loadgen/synth"
)

// every holds an entry of each format in which %s stands for text.
var every = map[synth.Format]string{
	synth.SingleTurn:    `{"text": "%s"}`,
	synth.RandomPool:    `{"text": "%s"}`,
	synth.MultiTurn:     `{"turns": [{"text": "%s"}]}`,
	synth.MooncakeTrace: `{"text_input": "%s"}`,
	synth.ShareGPT:      `{"conversations": [{"from": "human", "value": "%s"}]}`,
	synth.InputsJSON:    `{"payloads": [{"messages": [{"role": "user", "content": "%s"}]}]}`,
}

// fileOf returns a file of a format with two entries, of which the second holds
// a text.
func fileOf(f synth.Format, text string) string {
	first, second := strings.Replace(every[f], "%s", "a", 1), strings.Replace(every[f], "%s", text, 1)
	if f == synth.InputsJSON {
		return `{"data": [` + first + ",\n" + second + "]}\n"
	}
	return first + "\n" + second + "\n"
}

func survey(t *testing.T, f synth.Format, text string) error {
	t.Helper()
	_, err := synth.Survey(synth.Spec{File: write(t, "data", text), Format: f})
	return err
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	for f := range every {
		for name, row := range map[string]struct{ text, want string }{
			"Latin-1":                {"caf\xe9", "data:2: byte 0xe9 is not UTF-8: save the file as UTF-8"},
			"half a character":       {"\xe2\x82", "data:2: byte 0xe2 is not UTF-8"},
			"a surrogate in bytes":   {"\xed\xa0\x80", "data:2: byte 0xed is not UTF-8"},
			"an escape cut in half":  {`x\ud83d y`, `data:2: the escape \ud83d is half a character`},
			"halves the wrong way":   {`\ude00\ud83d`, `data:2: the escape \ude00 is half a character`},
			"a half behind a escape": {`\\\udfff`, `data:2: the escape \udfff is half a character`},
		} {
			if err := survey(t, f, fileOf(f, row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s, %s: got %v, want %q", f, name, err, row.want)
			}
		}
		for name, text := range map[string]string{
			"a pair":                    `\ud83d\ude00 \uD83D\uDE00`,
			"an escaped backslash":      `\\ud83d`,
			"the replacement character": "\ufffd \\ufffd",
			"a backslash at the end":    `\\`,
		} {
			if err := survey(t, f, fileOf(f, text)); err != nil {
				t.Errorf("%s, %s: %v", f, name, err)
			}
		}
	}
}

func TestABadByteIsToldWithItsOwnLine(t *testing.T) {
	err := survey(t, synth.ShareGPT, "[\n{\"conversations\": [\n  {\"from\": \"human\",\n   \"value\": \"caf\xe9\"}]}]\n")
	if err == nil || !strings.Contains(err.Error(), "data:4: byte 0xe9") {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatAreNoPlainTextAreRefused(t *testing.T) {
	for f := range every {
		for head, want := range map[string]string{
			"\xff\xfe{\x00":         "data:1: it is UTF-16: save it as UTF-8",
			"\xfe\xff\x00{":         "data:1: it is UTF-16",
			"\xff\xfe\x00\x00{":     "data:1: it is UTF-16",
			"{\x00\"\x00":           "data:1: it is UTF-16, or no text",
			"\x00{\x00\"":           "data:1: it is UTF-16, or no text",
			"\x1f\x8b\x08\x00":      "data:1: it is compressed by gzip: unpack it with gunzip",
			"\x28\xb5\x2f\xfd":      "data:1: it is compressed by zstd",
			"PK\x03\x04":            "data:1: it is a ZIP archive",
			"PAR1\x15":              "data:1: it is Parquet: convert it to JSON lines",
			"BZh91AY":               "data:1: it is compressed by bzip2",
			"\xfd7zXZ\x00 and more": "data:1: it is compressed by xz",
		} {
			if err := survey(t, f, head); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %q: got %v, want %q", f, head, err, want)
			}
		}
	}
}

func TestWhatStandsBehindTheEndIsRefused(t *testing.T) {
	share, inputs := "["+every[synth.ShareGPT]+"]", `{"data": [`+every[synth.InputsJSON]+`]`
	for name, row := range map[string]struct {
		format synth.Format
		text   string
		want   string
	}{
		"a second array":              {synth.ShareGPT, share + "\n" + share, "data:2: there is more behind the end of its JSON"},
		"words":                       {synth.ShareGPT, share + "\n\nand so on", "data:3: there is more behind the end of its JSON"},
		"a line behind an array":      {synth.SingleTurn, "[" + every[synth.SingleTurn] + "]\n" + every[synth.SingleTurn], "data:2: there is more"},
		"a second object":             {synth.InputsJSON, inputs + "}\n" + inputs + "}", "data:2: there is more behind"},
		"the data twice":              {synth.InputsJSON, inputs + ",\n" + inputs[1:] + "}", `the key "data" stands twice`},
		"no end":                      {synth.InputsJSON, inputs, "the file ends before its JSON does"},
		"an object without data":      {synth.InputsJSON, `{"other": 1}`, `data:1: the object has no key "data"`},
		"an array for an object":      {synth.InputsJSON, "\n[1]", "it begins with [ where a { belongs"},
		"a second value on a line":    {synth.SingleTurn, every[synth.SingleTurn] + " " + every[synth.SingleTurn], "data:1: it is not JSON"},
		"an array for single entries": {synth.MultiTurn, "[" + every[synth.MultiTurn] + ", 1]", `data:1: `},
	} {
		if err := survey(t, row.format, row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
	for name, text := range map[string]string{"white space": inputs + "}\n \t\r\n", "further keys": inputs + `, "note": {"a": [1]}}`} {
		if err := survey(t, synth.InputsJSON, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestArraysOfEveryFormat reads entries that are spread over lines.
func TestArraysOfEveryFormat(t *testing.T) {
	for f := range every {
		if f == synth.InputsJSON {
			continue
		}
		text := "\ufeff[\n  " + strings.ReplaceAll(strings.Replace(every[f], "%s", "one", 1), ": ", ":\n    ") + ",\n" + strings.Replace(every[f], "%s", "two", 1) + "\n]\n"
		s := open(t, synth.Spec{File: write(t, "array.json", text), Format: f}, builtin(t, "cl100k_base"))
		found := map[string]bool{}
		for _, session := range drain(t, s) {
			found[session.Turns[0].Messages[0].Content] = true
		}
		if len(found) != 2 || !found["one"] || !found["two"] {
			t.Errorf("%s: got %v", f, found)
		}
	}
}

func TestEntriesSpreadOverLinesWithoutAnArray(t *testing.T) {
	err := survey(t, synth.SingleTurn, "{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n")
	const want = "data:1: the line ends before its JSON does: write an entry on one line, or all of them as one array"
	if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("got %v, want %q alone", err, want)
	}
}
