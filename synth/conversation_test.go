package synth_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/synth"
)

func roles(r *loadgen.Request) string {
	var names []string
	for _, m := range r.Messages {
		names = append(names, m.Role)
	}
	return strings.Join(names, " ")
}

func TestSyntheticHistoryIsKnownBeforeTheRun(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	s := open(t, synth.Spec{
		Input: synth.Normal{Mean: 20}, Output: synth.Normal{Mean: 15}, SystemTokens: 10,
		Turns: synth.Normal{Mean: 3}, Delay: synth.Normal{Mean: 250}, History: synth.SyntheticHistory,
	}, tok)
	turns := s.At(0).Turns
	for k, row := range []struct {
		roles  string
		tokens int
		delay  time.Duration
	}{
		{"system user", 10 + 20, 0},
		{"system user assistant user", 10 + 20 + 15 + 20, 250 * time.Millisecond},
		{"system user assistant user assistant user", 10 + 20 + 15 + 20 + 15 + 20, 250 * time.Millisecond},
	} {
		r := turns[k]
		if r.Turn != k || roles(r) != row.roles || r.InputTokens != row.tokens || r.Delay != row.delay || r.MaxTokens != 15 {
			t.Errorf("turn %d is %q with %d tokens after %v, want %+v", r.Turn, roles(r), r.InputTokens, r.Delay, row)
		}
		if got := tokens(tok, r); got != row.tokens {
			t.Errorf("turn %d has %d tokens by re-encoding, want %d", k, got, row.tokens)
		}
		if k > 0 && !cmp.Equal(turns[k-1].Messages, r.Messages[:len(turns[k-1].Messages)]) {
			t.Errorf("turn %d does not begin with the messages of the turn before", k)
		}
	}
	s.Follow(&loadgen.Record{Request: turns[0], Text: []byte("x")}, turns[1])
	if roles(turns[1]) != "system user assistant user" {
		t.Errorf("Follow added to a history that was complete: %q", roles(turns[1]))
	}
}

func TestFollowCarriesTheServersAnswers(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	for _, flat := range []bool{false, true} {
		s := open(t, synth.Spec{
			Input: synth.Normal{Mean: 20}, SystemTokens: 10, Completions: flat, Turns: synth.Normal{Mean: 3},
		}, tok)
		turns := s.At(5).Turns
		if got := roles(turns[1]); got != "user" {
			t.Errorf("before the run the second turn holds %q, want its own message", got)
		}
		own := turns[2].Messages[0]
		s.Follow(&loadgen.Record{Request: turns[0], Text: []byte("It is so."), Thought: []byte("hm")}, turns[1])
		s.Follow(&loadgen.Record{Request: turns[1], Text: []byte("And so on.")}, turns[2])

		want := slices.Concat(turns[0].Messages, []loadgen.Message{
			{Role: "assistant", Content: "It is so."},
			turns[1].Messages[len(turns[1].Messages)-1],
			{Role: "assistant", Content: "And so on."},
			own,
		})
		if diff := cmp.Diff(want, turns[2].Messages); diff != "" {
			t.Errorf("messages of the third turn (-want +got):\n%s", diff)
		}
		count := tokens(tok, turns[2])
		if flat {
			var texts []string
			for _, m := range turns[2].Messages {
				texts = append(texts, m.Content)
			}
			count = tok.Count(strings.Join(texts, "\n"))
		}
		if turns[2].InputTokens != count {
			t.Errorf("the third turn says %d tokens and has %d", turns[2].InputTokens, count)
		}
	}
}

func TestTurnsAndDelaysFollowTheirDistributions(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	s := open(t, synth.Spec{
		Input: synth.Normal{Mean: 2}, Turns: synth.Normal{Mean: 5, Stddev: 2}, Delay: synth.Normal{Mean: 1000, Stddev: 300},
	}, tok)
	const sessions = 2000
	turns, delay, later := 0, time.Duration(0), 0
	for i := range sessions {
		for k, r := range s.At(i).Turns {
			turns++
			if r.Delay < 0 || (k == 0 && r.Delay > 0) {
				t.Fatalf("turn %d of session %d comes after %v", k, i, r.Delay)
			}
			if k > 0 {
				later++
				delay += r.Delay
			}
		}
	}
	// Clipping at 1 lifts the mean of N(5, 2) by 0.02.
	if mean := float64(turns) / sessions; math.Abs(mean-5.02) > 4*2/math.Sqrt(sessions) {
		t.Errorf("sessions have %.2f turns on average, want 5", mean)
	}
	if mean := delay.Seconds() / float64(later); math.Abs(mean-1) > 4*0.3/math.Sqrt(float64(later)) {
		t.Errorf("think times are %.3f s on average, want 1", mean)
	}
}

func TestWhatTheTemplateAddsIsTakenOffTheText(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	// 3 for the prompt and 4 for each message.
	template := func(messages []loadgen.Message) int { return 3 + 4*len(messages) }
	for name, row := range map[string]struct {
		whole       bool
		mean        float64
		text, added []int
		inexact     int
	}{
		"counted beside the text":      {mean: 30, text: []int{35, 75, 115}, added: []int{11, 19, 27}},
		"part of the length":           {whole: true, mean: 30, text: []int{24, 56, 88}, added: []int{11, 19, 27}},
		"longer than the whole length": {whole: true, mean: 4, text: []int{6, 17, 28}, added: []int{11, 19, 27}, inexact: 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, synth.Spec{
				Input: synth.Normal{Mean: row.mean}, Output: synth.Normal{Mean: 10}, SystemTokens: 5,
				Turns: synth.Normal{Mean: 3}, History: synth.SyntheticHistory, Template: template, Whole: row.whole,
			}, tok)
			var text, added []int
			for _, r := range s.At(0).Turns {
				text, added = append(text, r.InputTokens), append(added, r.TemplateTokens)
			}
			if diff := cmp.Diff([][]int{row.text, row.added}, [][]int{text, added}); diff != "" {
				t.Errorf("text and template (-want +got):\n%s", diff)
			}
			if got := s.Stats().Inexact; got != row.inexact {
				t.Errorf("%d inexact prompts, want %d", got, row.inexact)
			}
		})
	}
}
