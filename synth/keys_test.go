package synth_test

import (
	"strings"
	"testing"

	"loadgen/synth"
)

func TestOutputLengthsByTheirOtherNames(t *testing.T) {
	for text, want := range map[string]int{
		`{"text": "a", "max_tokens": 7}`:                     7,
		`{"text": "a", "max_completion_tokens": 8}`:          8,
		`{"text": "a", "output_length": 9, "max_tokens": 9}`: 9,
		`{"text": "a"}`:                     0,
		`{"text": "a", "max_tokens": null}`: 0,
	} {
		s := open(t, synth.Spec{File: write(t, "data", text), Format: synth.SingleTurn}, builtin(t, "cl100k_base"))
		if got := drain(t, s)[0].Turns[0].MaxTokens; got != want {
			t.Errorf("%s asks for %d tokens, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`{"text": "a", "max_tokens": 0}`:                      "max_tokens: 0 is not between 1 and",
		`{"text": "a", "max_tokens": "many"}`:                 `"max_tokens" cannot be a JSON string`,
		`{"text": "a", "output_length": 9, "max_tokens": 10}`: "output_length is 9 and max_tokens 10: leave one of them out",
	} {
		if err := survey(t, synth.SingleTurn, text); err == nil || !strings.Contains(err.Error(), "data:1: "+want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestKeysThatAreNotReadAreNoted(t *testing.T) {
	note := func(f synth.Format, text string) string {
		t.Helper()
		seen, err := synth.Survey(synth.Spec{File: write(t, "data", text), Format: f})
		if err != nil {
			t.Fatal(err)
		}
		return seen.Note
	}
	for name, row := range map[string]struct {
		format synth.Format
		text   string
		want   string
	}{
		"parameters of a request": {
			synth.SingleTurn, "{\"text\": \"a\"}\n{\"text\": \"b\", \"top_p\": 1, \"temperature\": 0}\n{\"text\": \"c\", \"top_p\": 1}",
			`keys of its entries that are not sent: "temperature" in line 2, "top_p" in line 2; what every request is to have goes into extra_inputs`,
		},
		"a misspelt key":          {synth.RandomPool, `{"text": "a", "ouput_length": 5}`, `not sent: "ouput_length" in line 1;`},
		"keys of a turn":          {synth.MultiTurn, `{"session_id": "s", "model": "m", "turns": [{"text": "a", "stop": "x"}]}`, `not sent: "model" in line 1, "stop" in line 1;`},
		"keys of a trace":         {synth.MooncakeTrace, `{"input_length": 4, "priority": 1}`, `"priority" in line 1`},
		"keys of a conversation":  {synth.ShareGPT, "[\n" + `{"id": "x", "model": "m", "conversations": [{"from": "human", "value": "a", "lang": "en"}]}]`, `"lang" in line 2, "model" in line 2`},
		"keys of a run's session": {synth.InputsJSON, `{"data": [{"session_id": "s", "delay": 5, "payloads": [{"messages": [{"role": "user", "content": "a"}]}]}]}`, `"delay" in line 1`},
	} {
		if got := note(row.format, row.text); !strings.Contains(got, row.want) {
			t.Errorf("%s: noted %q, want %q", name, got, row.want)
		}
	}
	for f := range every {
		if got := note(f, fileOf(f, "x")); got != "" {
			t.Errorf("%s: noted %q of nothing", f, got)
		}
	}
	if got := note(synth.SingleTurn, `{"id": 7, "Text": "a", "role": "user", "delay": 3}`); got != "" {
		t.Errorf("noted %q", got)
	}
	var many strings.Builder
	for _, key := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		many.WriteString(`{"text": "a", "` + key + `": 1}` + "\n")
	}
	if got := note(synth.SingleTurn, many.String()); strings.Count(got, "in line") != 12 || !strings.Contains(got, "and perhaps more") {
		t.Errorf("of many keys: %q", got)
	}
}
