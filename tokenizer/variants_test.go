package tokenizer_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
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

func (v variant) load(t *testing.T, name string, small json.RawMessage) *tokenizer.Tokenizer {
	t.Helper()
	text := []byte(v.Tokenizer)
	switch v.File {
	case "":
	case "small":
		text = v.replaceIn(t, small)
	default:
		published, err := os.ReadFile(realFile(t, v.File))
		if err != nil {
			t.Fatal(err)
		}
		text = v.replaceIn(t, published)
	}
	tok, err := tokenizer.Read(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func (v variant) replaceIn(t *testing.T, text []byte) []byte {
	t.Helper()
	fields, model := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	unmarshal(t, text, &fields)
	unmarshal(t, fields["model"], &model)
	maps.Copy(model, v.Model)
	fields["model"] = marshal(t, model)
	maps.Copy(fields, v.Set)
	return marshal(t, fields)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
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
	for _, name := range slices.Sorted(maps.Keys(content.Variants)) {
		t.Run(name, func(t *testing.T) {
			checkReference(t, content.Variants[name].load(t, name, content.Small), name, cases)
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
