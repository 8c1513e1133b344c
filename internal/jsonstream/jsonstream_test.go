package jsonstream_test

import (
	"encoding/json"
	"strings"
	"testing"

	"loadgen/internal/jsonstream"
)

func TestAWalkReadsWhatItIsAskedFor(t *testing.T) {
	s := jsonstream.New(strings.NewReader(`{"a":[1,2,{"b":[3]}],"skipped":{"deep":[[]]},"text":"x"}`))
	numbers, text := []json.RawMessage(nil), ""
	err := s.Object(func(key string) error {
		switch key {
		case "a":
			return s.Array(func() error {
				var v json.RawMessage
				err := s.Decode(&v)
				numbers = append(numbers, v)
				return err
			})
		case "text":
			return s.Decode(&text)
		}
		return s.Skip()
	})
	if err != nil || len(numbers) != 3 || string(numbers[2]) != `{"b":[3]}` || text != "x" {
		t.Errorf("%s, %q, error %v", numbers, text, err)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{`"a\n"`: "a\n", ` null `: "", ``: "", `[1]`: "[1]", `7`: "7"} {
		if got := jsonstream.Text(json.RawMessage(in)); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}
