package tokenizer_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"loadgen/tokenizer"
)

// A variant is a tokenizer.json: one written out, or another one, "small" or
// a published file, with some parts and some settings of its model replaced.
type variant struct {
	Tokenizer json.RawMessage
	File      string
	Set       map[string]json.RawMessage
	Model     map[string]json.RawMessage
}

func (v variant) load(t *testing.T, name string, files map[string]parts) *tokenizer.Tokenizer {
	t.Helper()
	text := []byte(v.Tokenizer)
	if v.File != "" {
		if _, ok := files[v.File]; !ok {
			published, err := os.ReadFile(realFile(t, v.File))
			if err != nil {
				t.Fatal(err)
			}
			files[v.File] = split(t, published)
		}
		text = v.replaceIn(files[v.File])
	}
	tok, err := tokenizer.Read(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// parts are a file's values by their keys, those of its model apart.
type parts struct{ fields, model map[string]json.RawMessage }

func split(t *testing.T, text []byte) parts {
	t.Helper()
	var p parts
	unmarshal(t, text, &p.fields)
	unmarshal(t, p.fields["model"], &p.model)
	return p
}

func (v variant) replaceIn(p parts) []byte {
	fields, model := maps.Clone(p.fields), maps.Clone(p.model)
	maps.Copy(model, v.Model)
	fields["model"] = join(model)
	maps.Copy(fields, v.Set)
	return join(fields)
}

// join writes an object. Values of a megabyte go in as they are: under the
// race detector encoding/json takes a second to look them through again.
func join(fields map[string]json.RawMessage) []byte {
	text := []byte("{")
	for key, value := range fields {
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(strconv.AppendQuote(text, key), ':'), value...)
	}
	return append(text, '}')
}

func unmarshal(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

func TestEveryPatternAndNormalizerGivesTheReferenceIDs(t *testing.T) {
	const file = "testdata/variant_ids.json"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct {
		Small    json.RawMessage
		Variants map[string]variant
	}
	unmarshal(t, text, &content)
	cases := reference(t, file)
	files := map[string]parts{"small": split(t, content.Small)}
	for _, name := range slices.Sorted(maps.Keys(content.Variants)) {
		t.Run(name, func(t *testing.T) {
			checkReference(t, content.Variants[name].load(t, name, files), name, cases)
		})
	}
	for _, name := range tokenizer.Builtins() {
		t.Run(name, func(t *testing.T) { checkReference(t, builtin(t, name), name, cases) })
	}
	t.Run("kimi", func(t *testing.T) {
		tok, source, err := tokenizer.Load(t.Context(), realFile(t, "kimi-k2-instruct"), tokenizer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := tok.Count("<|im_end|>"); n != 1 {
			t.Errorf("%v: <|im_end|> has %d ids, want 1", source, n)
		}
		checkReference(t, tok, "kimi", cases)
	})
}
