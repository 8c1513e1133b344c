package synth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"loadgen"
	"loadgen/synth"
	"loadgen/tokenizer"
)

var encodings = map[string]func() (*tokenizer.Tokenizer, error){
	"cl100k_base": sync.OnceValues(func() (*tokenizer.Tokenizer, error) { return tokenizer.Builtin("cl100k_base") }),
	"o200k_base":  sync.OnceValues(func() (*tokenizer.Tokenizer, error) { return tokenizer.Builtin("o200k_base") }),
}

// builtin returns a built-in tokenizer, loaded once.
func builtin(t testing.TB, name string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := encodings[name]()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// lexicons are those of the tokenizers that tests have used.
var lexicons sync.Map

// lexicon returns the lexicon of a tokenizer, made once.
func lexicon(tok synth.Tokenizer) *synth.Lexicon {
	made, ok := lexicons.Load(tok)
	if !ok {
		made, _ = lexicons.LoadOrStore(tok, synth.NewLexicon(tok))
	}
	return made.(*synth.Lexicon)
}

func open(t testing.TB, spec synth.Spec, tok synth.Tokenizer) *synth.Source {
	t.Helper()
	s, err := synth.New(spec, lexicon(tok))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// tokens counts the messages of a request by re-encoding them.
func tokens(tok synth.Tokenizer, r *loadgen.Request) int {
	n := 0
	for _, m := range r.Messages {
		n += tok.Count(m.Content)
	}
	return n
}

func TestPromptsHaveExactlyTheLengthAskedFor(t *testing.T) {
	for _, encoding := range []string{"cl100k_base", "o200k_base"} {
		tok := builtin(t, encoding)
		for _, row := range []struct {
			name string
			spec synth.Spec
			want int // 0: varies
		}{
			{"one token", synth.Spec{Input: synth.Normal{Mean: 1}}, 1},
			{"two tokens", synth.Spec{Input: synth.Normal{Mean: 2}}, 2},
			{"sixteen tokens", synth.Spec{Input: synth.Normal{Mean: 16}}, 16},
			{"a thousand tokens", synth.Spec{Input: synth.Normal{Mean: 1000}}, 1000},
			{"a spread wider than the mean", synth.Spec{Input: synth.Normal{Mean: 50, Stddev: 200}}, 0},
			{"a system prompt before it", synth.Spec{Input: synth.Normal{Mean: 30}, SystemTokens: 100}, 130},
			{"a prefix before it", synth.Spec{Input: synth.Normal{Mean: 30}, Prefixes: 3, PrefixTokens: 50}, 80},
			{"both", synth.Spec{Input: synth.Normal{Mean: 30}, Prefixes: 3, PrefixTokens: 50, SystemTokens: 7}, 87},
			{"both in one text", synth.Spec{Input: synth.Normal{Mean: 30}, Prefixes: 3, PrefixTokens: 50, SystemTokens: 7, Completions: true}, 87},
		} {
			t.Run(encoding+"/"+row.name, func(t *testing.T) {
				s := open(t, row.spec, tok)
				for i := range 100 {
					r := s.At(i).Turns[0]
					if got := tokens(tok, r); got != r.InputTokens || (row.want > 0 && got != row.want) {
						t.Fatalf("prompt %d has %d tokens and says %d, want %d", i, got, r.InputTokens, row.want)
					}
				}
				if n := s.Stats().Inexact; n != 0 {
					t.Errorf("%d prompts are not as long as was drawn", n)
				}
			})
		}
	}
}

// TestASessionOfOneTurnHardlyAllocates holds it to three allocations: the
// session with its request, their names, and the text. The race detector
// empties pools at random, hence two more for a buffer.
func TestASessionOfOneTurnHardlyAllocates(t *testing.T) {
	for _, length := range []float64{1, 16, 1000} {
		s := open(t, synth.Spec{Input: synth.Normal{Mean: length}, Output: synth.Normal{Mean: 16, Stddev: 4}}, builtin(t, "cl100k_base"))
		i := 0
		if got := testing.AllocsPerRun(100, func() { s.At(i); i++ }); got > 5 {
			t.Errorf("%v allocations for a prompt of %v tokens", got, length)
		}
	}
}

func TestALongPromptIsExact(t *testing.T) {
	tok := builtin(t, "o200k_base")
	r := open(t, synth.Spec{Input: synth.Normal{Mean: 200_000}}, tok).At(0).Turns[0]
	if got := tokens(tok, r); got != 200_000 {
		t.Errorf("the prompt has %d tokens, want 200000", got)
	}
}

func TestNoTwoPromptsOfABatchShareABlock(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	seen := map[string]string{}
	for _, seed := range []loadgen.Seed{1, 2} {
		for _, phase := range []loadgen.Phase{loadgen.Warmup, loadgen.Profiling} {
			s := open(t, synth.Spec{Seed: seed, Phase: phase, Input: synth.Normal{Mean: 40, Stddev: 5}}, tok)
			for i := range 1500 {
				words := strings.Fields(s.At(i).Turns[0].Messages[0].Content)
				block := strings.Join(words[:16], " ")
				name := fmt.Sprintf("seed %d, %v, prompt %d", seed, phase, i)
				if other, dup := seen[block]; dup {
					t.Fatalf("%s begins like %s: %s", name, other, block)
				}
				seen[block] = name
			}
		}
	}
}

func TestShortPromptsDifferAsLongAsTheyCan(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	for _, row := range []struct{ length, prompts, differ int }{
		{1, 5000, 4096},
		{2, 5000, 5000},
		{3, 5000, 5000},
	} {
		t.Run(fmt.Sprint(row.length), func(t *testing.T) {
			s := open(t, synth.Spec{Input: synth.Normal{Mean: float64(row.length)}}, tok)
			seen := map[string]bool{}
			for i := range row.prompts {
				seen[s.At(i).Turns[0].Messages[0].Content] = true
			}
			if len(seen) != row.differ {
				t.Errorf("%d prompts of %d differ, want %d", len(seen), row.prompts, row.differ)
			}
			if got, want := s.Stats().Repeats, row.prompts-row.differ; got != want {
				t.Errorf("%d repeats are counted, want %d", got, want)
			}
		})
	}
}
