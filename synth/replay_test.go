package synth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/synth"
)

// replay takes the turns of a recorded session, each followed by an answer of the
// server, and returns the bodies as they are sent.
func replay(t *testing.T, completions bool, payloads []string, answers ...string) (bodies []string, tokens []int) {
	t.Helper()
	text := `{"data": [{"payloads": [` + strings.Join(payloads, ", ") + `]}]}`
	s := open(t, synth.Spec{File: write(t, "inputs.json", text), Format: synth.InputsJSON, Completions: completions}, builtin(t, "cl100k_base"))
	turns := drain(t, s)[0].Turns
	for i, r := range turns {
		if i > 0 {
			if s.Follow(&loadgen.Record{Request: turns[i-1], Text: []byte(answers[i-1])}, r) {
				t.Errorf("turn %d is to be encoded anew", i)
			}
		}
		bodies, tokens = append(bodies, string(r.Body)), append(tokens, r.InputTokens)
	}
	return bodies, tokens
}

func TestReplayedTurnsCarryTheirHistory(t *testing.T) {
	bodies, tokens := replay(t, false, []string{
		`{"model": "m", "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": [{"type": "text", "text": "one"}]}], "max_tokens": 5}`,
		`{"messages": [{"role": "user", "content": "two"}], "model": "m", "top_p": 1.50}`,
		`{"model": "m", "messages": [{"role": "user", "content": "two"}]}`, // the same words again
	}, `said "A" <b>`, "B")
	want := []string{
		`{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"one"}]}],"max_tokens":5}`,
		`{"messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"one"}]},` +
			`{"role":"assistant","content":"said \"A\" <b>"},{"role":"user","content":"two"}],"model":"m","top_p":1.50}`,
		`{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"one"}]},` +
			`{"role":"assistant","content":"said \"A\" <b>"},{"role":"user","content":"two"},{"role":"assistant","content":"B"},{"role":"user","content":"two"}]}`,
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	tok := builtin(t, "cl100k_base")
	count := tok.Count("S") + tok.Count("one")
	counts := []int{count}
	count += tok.Count(`said "A" <b>`) + tok.Count("two")
	counts = append(counts, count)
	counts = append(counts, count+tok.Count("B")+tok.Count("two"))
	if diff := cmp.Diff(counts, tokens); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestReplayedPromptsCarryTheirHistory(t *testing.T) {
	bodies, _ := replay(t, true, []string{`{"prompt": "one", "model": "m"}`, `{"model": "m", "prompt": "two"}`, `{"prompt": "three"}`}, "A", "B\n")
	want := []string{`{"prompt":"one","model":"m"}`, `{"model":"m","prompt":"one\nA\ntwo"}`, `{"prompt":"one\nA\ntwo\nB\n\nthree"}`}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

// TestWholeTurnsAreReplayedAsTheyAre leaves bodies alone that hold what went
// before them, or that hold it in a way that cannot be added to.
func TestWholeTurnsAreReplayedAsTheyAre(t *testing.T) {
	for name, row := range map[string]struct {
		completions bool
		payloads    []string
	}{
		"recorded answers": {false, []string{
			`{"messages":[{"role":"user","content":"one"}]}`,
			`{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"A"},{"role":"user","content":"two"}]}`,
		}},
		"no answers":        {false, []string{`{"messages":[{"role":"user","content":"one"}]}`, `{"messages":[{"role":"user","content":"one"},{"role":"user","content":"two"}]}`}},
		"a whole prompt":    {true, []string{`{"prompt":"one"}`, `{"prompt":"one\nA\ntwo"}`}},
		"a list of prompts": {true, []string{`{"prompt":["one"]}`, `{"prompt":["two"]}`}},
	} {
		if bodies, _ := replay(t, row.completions, row.payloads, "other"); !cmp.Equal(row.payloads, bodies) {
			t.Errorf("%s: %s", name, cmp.Diff(row.payloads, bodies))
		}
	}
}
