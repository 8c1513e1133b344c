package synth_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen"
	"loadgen/synth"
)

// sharedOf returns the shared and the input tokens of the first n sessions.
func sharedOf(t *testing.T, spec synth.Spec, n int) [][2]int {
	t.Helper()
	source, err := synth.New(spec, lexicon(builtin(t, "cl100k_base")))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var got [][2]int
	for range n {
		s, err := source.Next()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, [2]int{s.Turns[0].SharedTokens, s.Turns[0].InputTokens})
	}
	return got
}

func TestPromptsSayWhatTheyBeginWithInCommon(t *testing.T) {
	input := synth.Normal{Mean: 100}
	for name, row := range map[string]struct {
		spec synth.Spec
		want int
	}{
		"nothing":                      {synth.Spec{Input: input}, 0},
		"a system prompt":              {synth.Spec{Input: input, SystemTokens: 30}, 30},
		"a system prompt and a prefix": {synth.Spec{Input: input, SystemTokens: 30, Prefixes: 4, PrefixTokens: 50}, 80},
	} {
		for _, got := range sharedOf(t, row.spec, 3) {
			if got[0] != row.want {
				t.Errorf("%s: %d tokens, want %d", name, got[0], row.want)
			}
		}
	}
}

// Four entries: two that differ from the first word on, one that begins like the
// first for half of its length, and the first again; then all once more.
func TestADatasetSaysWhatItsEntriesBeginWithInCommon(t *testing.T) {
	words := func(word string, n int) string { return strings.Repeat(word+" ", n) }
	texts := []string{words("alpha", 200), words("beta", 200), words("alpha", 100) + words("gamma", 100), words("alpha", 200)}
	file := ""
	for _, text := range texts {
		file += fmt.Sprintf("{\"text\": %q}\n", text)
	}
	spec := synth.Spec{File: write(t, "data", file), Format: synth.SingleTurn, Wrap: true}
	got := sharedOf(t, spec, 8)
	// A chunk of 64 bytes is at most 16 of these tokens more than what is alike.
	for i, least := range []int{0, 0, got[2][1] / 2, got[3][1], got[4][1], got[5][1], got[6][1], got[7][1]} {
		if got[i][0] < least || got[i][0] > least+32 {
			t.Errorf("entry %d: %d of %d tokens shared, want %d or a little more", i, got[i][0], got[i][1], least)
		}
	}
}

func TestLaterTurnsLeaveItToTheSession(t *testing.T) {
	file := write(t, "data", `{"turns": [{"text": "one two three"}, {"text": "four five six"}]}`+"\n")
	source, err := synth.New(synth.Spec{File: file, Format: synth.MultiTurn, Wrap: true}, lexicon(builtin(t, "cl100k_base")))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var s *loadgen.Session
	for range 2 {
		if s, err = source.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if s.Turns[0].SharedTokens != s.Turns[0].InputTokens || s.Turns[1].SharedTokens != 0 {
		t.Errorf("shared %d of %d, then %d", s.Turns[0].SharedTokens, s.Turns[0].InputTokens, s.Turns[1].SharedTokens)
	}
}
