package synth_test

import (
	"strings"
	"testing"

	"loadgen/synth"
)

func TestTheFormatOfADatasetIsSeen(t *testing.T) {
	for f := range every {
		want := f
		if f == synth.RandomPool {
			want = synth.SingleTurn // which its entries look like
		}
		for name, text := range map[string]string{"as it is": fileOf(f, "x"), "behind a mark": "\ufeff" + fileOf(f, "x")} {
			if got, err := synth.Detect(write(t, "data", text)); got != want || err != nil {
				t.Errorf("%s %s: got %v, %v", f, name, got, err)
			}
		}
	}
	for text, want := range map[string]synth.Format{
		"[\n {\"id\": [1, {\"text\": 1}], \"conversations\": []}]":           synth.ShareGPT,
		`{"timestamp": 0, "output_length": 5, "input_length": 9}`:            synth.MooncakeTrace,
		"{\n  \"note\": {\"turns\": []},\n  \"data\": [{\"payloads\": []}]}": synth.InputsJSON,
	} {
		if got, err := synth.Detect(write(t, "data", text)); got != want || err != nil {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":               "it holds no entries",
		"[ ]":            "it holds no entries",
		"hello":          "its first entry does not tell",
		`{"messages":1}`: "its first entry does not tell",
		"[1]":            "its first entry does not tell",
		`{"id": `:        "its first entry does not tell",
		"\x1f\x8b\x08":   "compressed by gzip",
	} {
		if got, err := synth.Detect(write(t, "data", text)); got != synth.NoFormat || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}
