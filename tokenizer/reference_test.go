package tokenizer_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/tokenizer"
)

// reference reads a file of texts and the ids that reference
// implementations gave for them.
func reference(t *testing.T, file string) []referenceCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ Cases []referenceCase }
	if err := json.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	return content.Cases
}

type referenceCase struct {
	Text string
	IDs  map[string][]int
}

func TestBuiltinIDsEqualTheReference(t *testing.T) {
	for _, name := range []string{"cl100k_base", "o200k_base"} {
		tok, err := tokenizer.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		checkReference(t, tok, name, reference(t, "testdata/tokenizer_ids.json"))
	}
}

func checkReference(t *testing.T, tok *tokenizer.Tokenizer, name string, cases []referenceCase) {
	t.Helper()
	for _, c := range cases {
		want, ok := c.IDs[name]
		if !ok {
			continue
		}
		if diff := cmp.Diff(want, append([]int{}, tok.Encode(c.Text)...)); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", name, c.Text, diff)
		}
		if n := tok.Count(c.Text); n != len(want) {
			t.Errorf("%s: Count(%q) = %d, want %d", name, c.Text, n, len(want))
		}
	}
}
