package sweep_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

func TestTheFormatOfADatasetMayBeLeftOut(t *testing.T) {
	dir := t.TempDir()
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	chat := path("chat.jsonl", `{"turns": [{"text": "a"}]}`)
	single := path("rag.jsonl", `{"text": "a"}`)
	batch := parseWith(t, minimal+"  streaming: true\nsweeps: {input_file: ["+chat+", "+single+"]}\n")
	if a, b := batch.Cells()[0].Config.CustomDatasetType, batch.Cells()[1].Config.CustomDatasetType; a != "multi_turn" || b != "single_turn" {
		t.Errorf("got %s and %s", a, b)
	}
	want := []string{
		"custom_dataset_type is not written: " + chat + " reads as multi_turn",
		"custom_dataset_type is not written: " + single + " reads as single_turn",
	}
	if diff := cmp.Diff(want, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for file, want := range map[string]string{
		path("odd.jsonl", `{"question": "a"}`): "needs custom_dataset_type: its first entry does not tell",
		path("packed.gz", "\x1f\x8b\x08\x00"):  "it is compressed by gzip",
		path("empty.jsonl", "\n"):              "it holds no entries",
		filepath.Join(dir, "none"):             "cannot be read: no such file or directory",
		dir:                                    "is a directory, not a file",
	} {
		found := faults(t, minimal+"  input_file: "+file+"\n", sweep.Options{LookupEnv: lookUp})
		if len(found) != 1 || !strings.Contains(found[0].Message, want) {
			t.Errorf("%s: got %v, want %q", file, found, want)
		}
	}
}
