package tokenizer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/tokenizer"
)

// with returns tiny with one stretch of it replaced.
func with(old, by string) string { return strings.Replace(tiny, old, by, 1) }

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	const pre = `{"type": "ByteLevel", "add_prefix_space": false}`
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                      {"", "cut off"},
		"half of it":                   {tiny[:len(tiny)/2], "cut off"},
		"a page of HTML":               {"<!doctype html>", `found '<'`},
		"another JSON":                 {`{"hello": [1, {"a": null}]}`, "no model"},
		"an unknown normalizer":        {with(`"normalizer": null`, `"normalizer": {"type": "Fancy"}`), `normalizer "Fancy"`},
		"an unknown pre-tokenizer":     {with(pre, `{"type": "Magic"}`), `pre-tokenizer "Magic"`},
		"an unknown pattern":           {with(pre, `{"type": "Split", "pattern": {"Regex": "a+(?!b)"}, "behavior": "Isolated"}`), `"a+(?!b)"`},
		"an unknown behavior":          {with(pre, `{"type": "Split", "pattern": {"String": " "}, "behavior": "Odd"}`), `"Odd"`},
		"an unknown model":             {with(`"type": "BPE"`, `"type": "WordLevel"`), `model type "WordLevel"`},
		"an unknown decoder":           {with(`"decoder": {"type": "ByteLevel"}`, `"decoder": {"type": "CTC"}`), `decoder "CTC"`},
		"an unknown post-processor":    {with(`"TemplateProcessing"`, `"Other"`), `post-processor "Other"`},
		"dropout":                      {with(`"type": "BPE"`, `"type": "BPE", "dropout": 0.1`), `"dropout"`},
		"a merge of unknown tokens":    {with(`"Ġ t"`, `"Ġ x"`), "merge 1"},
		"a merge with an empty side":   {with(`"Ġ t"`, `" t"`), "merge 1"},
		"a merge of three":             {with(`"Ġ t"`, `"Ġ t t"`), "merge 1"},
		"a merge into nothing known":   {with(`"Ġ t"`, `"h h"`), "merge 1"},
		"an id given twice":            {with(`"i": 1`, `"i": 0`), "given twice"},
		"an id beyond all":             {with(`"i": 1`, `"i": 99999999999`), "out of range"},
		"a negative id":                {with(`"i": 1`, `"i": -1`), "a number"},
		"an empty token":               {with(`"i": 1`, `"": 1`), "no bytes"},
		"an endless token":             {with(`"i": 1`, `"`+strings.Repeat("i", 1<<13)+`": 1`), "too many"},
		"an added token without text":  {with(`"<end>"`, `""`), "out of bounds"},
		"too many added tokens":        {with(`{"id": 9,`, strings.Repeat(`{"id": 9, "content": "<end>"},`, 1<<17)+`{"id": 9,`), "more than any tokenizer has"},
		"a hundred normalizers":        {with(`"normalizer": null`, `"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}`+strings.Repeat(`, {"type": "NFC"}`, 99)+`]}`), "more than any tokenizer has"},
		"six megabytes of normalizer":  {with(`"normalizer": null`, `"normalizer": {"type": "`+strings.Repeat("N", 6<<20)+`"}`), "more than any tokenizer has"},
		"a hundred thousand brackets":  {with(`"normalizer": null`, `"normalizer": `+strings.Repeat("[", 100_000)), "cut off"},
		"a nest of a hundred thousand": {with(`"normalizer": null`, `"normalizer": `+strings.Repeat(`{"type":"Sequence","normalizers":[`, 100_000)+strings.Repeat("]}", 100_000)), "depth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tokenizer.Read("odd", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestHugeFileIsRefusedUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	write(t, path, "{")
	if err := os.Truncate(path, 1<<30); err != nil { // sparse: takes no room
		t.Fatal(err)
	}
	if _, _, err := tokenizer.Load(t.Context(), path, tokenizer.Options{}); err == nil || !strings.Contains(err.Error(), "more than any tokenizer has") {
		t.Errorf("error %v, want one about its size", err)
	}
}

func TestLongestWordIsEncodedInOnePiece(t *testing.T) {
	tok := builtin(t, "o200k_base")
	for _, letter := range []string{"a", " ", "\n", "é", "中", "!"} {
		word := strings.Repeat(letter, 20_000)
		if got := tok.Decode(tok.Encode(word)); got != word {
			t.Errorf("20,000 × %q became %d bytes, want %d", letter, len(got), len(word))
		}
	}
}

func TestAddedTokensTakeWhatTheySay(t *testing.T) {
	for name, c := range map[string]struct{ flags, text, want string }{
		"the longest of two":          {`"x":0`, "<end><ender>", "[9 10]"},
		"white space on the left":     {`"lstrip":true`, "hi  <end> ", "[6 9 2]"},
		"white space on the right":    {`"rstrip":true`, "hi <end>  i", "[6 2 9 1]"},
		"a word of its own, touched":  {`"single_word":true`, "i<end>i", "[1 5 4 11 5 5 1]"},
		"a word of its own, standing": {`"single_word":true`, " <end> ", "[2 9 2]"},
	} {
		t.Run(name, func(t *testing.T) {
			text := with(`"special": true}`, `"special": true, `+c.flags+`}, {"id": 10, "content": "<ender>"}`)
			// What the small vocabulary cannot spell, such as < d >, is r.
			text = strings.Replace(text, `"type": "BPE"`, `"type": "BPE", "unk_token": "r"`, 1)
			text = strings.Replace(text, `"h": 0, "i": 1`, `"h": 0, "i": 1, "n": 11`, 1)
			tok, err := tokenizer.Read(name, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(tok.Encode(c.text)); got != c.want {
				t.Errorf("Encode(%q) = %v, want %v", c.text, got, c.want)
			}
		})
	}
}
