package tokenizer_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"loadgen/tokenizer"
)

// A variant is a tokenizer.json: one written out, or a published one with
// some parts and some settings of its model replaced.
type variant struct {
	Tokenizer json.RawMessage
	File      string
	Set       map[string]json.RawMessage
	Model     map[string]json.RawMessage
}

func (v variant) load(t *testing.T, name string) *tokenizer.Tokenizer {
	t.Helper()
	if v.Tokenizer != nil {
		tok, err := tokenizer.Read(name, v.Tokenizer)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	return readReal(t, v.File, func(text []byte) []byte {
		set := maps.Clone(v.Set)
		if len(v.Model) > 0 {
			set["model"] = replaced(t, fieldsOf(t, text)["model"], v.Model)
		}
		return replaced(t, text, set)
	})
}

// replaced sets some of the fields of an object. It does not go through
// json.Marshal, which takes a second over a vocabulary.
func replaced(t *testing.T, text []byte, set map[string]json.RawMessage) []byte {
	t.Helper()
	fields := fieldsOf(t, text)
	maps.Copy(fields, set)
	out := []byte("{")
	for name, value := range fields {
		out = append(out, '"')
		out = append(append(append(out, name...), `":`...), value...)
		out = append(out, ',')
	}
	out[len(out)-1] = '}'
	return out
}

func fieldsOf(t *testing.T, text []byte) map[string]json.RawMessage {
	t.Helper()
	fields := map[string]json.RawMessage{}
	unmarshal(t, text, &fields)
	return fields
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
	var content struct{ Variants map[string]variant }
	unmarshal(t, text, &content)
	cases := reference(t, file)
	for _, name := range slices.Sorted(maps.Keys(content.Variants)) {
		t.Run(name, func(t *testing.T) {
			checkReference(t, content.Variants[name].load(t, name), name, cases)
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
