package synth_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/synth"
)

var update = flag.Bool("update", false, "write the golden files")

// rich is a spec that uses all that synthetic sessions can have.
func rich() synth.Spec {
	mixture, err := synth.ParseMixture("24|8,10|3:75;6,40:25")
	if err != nil {
		panic(err)
	}
	return synth.Spec{
		Seed: 42, Mixture: mixture, SystemTokens: 6, Prefixes: 3, PrefixTokens: 4,
		Turns: synth.Normal{Mean: 2, Stddev: 1}, Delay: synth.Normal{Mean: 800, Stddev: 300},
		History: synth.SyntheticHistory, Sessions: 200,
	}
}

func TestTheSameSeedGivesTheSameSessionsEverywhere(t *testing.T) {
	for _, encoding := range []string{"cl100k_base", "o200k_base"} {
		t.Run(encoding, func(t *testing.T) {
			tok := builtin(t, encoding)
			var b strings.Builder
			for _, phase := range []loadgen.Phase{loadgen.Profiling, loadgen.Warmup} {
				spec := rich()
				spec.Phase = phase
				s := open(t, spec, tok)
				for i := range 4 {
					for _, r := range s.At(i).Turns {
						fmt.Fprintf(&b, "%s %s turn %d after %v: %d tokens, %d wanted\n", r.ID, r.Session, r.Turn, r.Delay, r.InputTokens, r.MaxTokens)
						for _, m := range r.Messages {
							fmt.Fprintf(&b, "  %s: %s\n", m.Role, m.Content)
						}
					}
				}
			}
			path := filepath.Join("testdata", encoding+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("sessions are no longer those of the golden file; -update writes it (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSessionsDoNotDependOnWhoAsksWhen(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	concurrent := open(t, rich(), tok)
	got := make([]*loadgen.Session, 200)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				session, err := concurrent.Next()
				if err == io.EOF {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				got[session.Index] = session
			}
		})
	}
	all.Wait()
	alone := open(t, rich(), tok)
	for i := 199; i >= 0; i-- {
		if diff := cmp.Diff(alone.At(i), got[i]); diff != "" {
			t.Fatalf("session %d made alone, and by one of eight goroutines (-alone +eight):\n%s", i, diff)
		}
	}
	if a, b := concurrent.Stats(), alone.Stats(); a != b {
		t.Errorf("statistics are %+v with eight goroutines and %+v with one", a, b)
	}
}

func TestNamesAreUniqueInABatch(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	seen := map[string]bool{}
	names := 0
	for _, seed := range []loadgen.Seed{1, 2} {
		for _, phase := range []loadgen.Phase{loadgen.Profiling, loadgen.Warmup} {
			s := open(t, synth.Spec{Seed: seed, Phase: phase, Input: synth.Normal{Mean: 1}, Turns: synth.Normal{Mean: 2}}, tok)
			for i := range 100 {
				session := s.At(i)
				want := fmt.Sprintf("session_%06d", i)
				if phase == loadgen.Warmup {
					want = fmt.Sprintf("warmup_%06d", i)
				}
				if session.ID != want || session.Index != i {
					t.Errorf("session %d of the %v is %s, want %s", session.Index, phase, session.ID, want)
				}
				seen[session.Turns[0].Correlation] = true
				names++
				for k, r := range session.Turns {
					if r.Session != session.ID || r.Turn != k || r.Correlation != session.Turns[0].Correlation {
						t.Errorf("turn %d of %s says it is turn %d of %s, %s", k, session.ID, r.Turn, r.Session, r.Correlation)
					}
					seen[r.ID] = true
					names++
				}
			}
		}
	}
	if len(seen) != names {
		t.Errorf("%d sessions and requests have %d UUIDs", names, len(seen))
	}
}

func TestPrefixesAreSharedOnlyWithinThePool(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	s := open(t, synth.Spec{Input: synth.Normal{Mean: 20}, Prefixes: 4, PrefixTokens: 32, SystemTokens: 16}, tok)
	prefixes, systems := map[string]int{}, map[string]bool{}
	for i := range 400 {
		m := s.At(i).Turns[0].Messages
		systems[m[0].Content] = true
		prefixes[strings.Join(strings.Fields(m[1].Content)[:32], " ")]++
	}
	if len(systems) != 1 {
		t.Errorf("there are %d system prompts, want 1", len(systems))
	}
	if len(prefixes) != 4 {
		t.Errorf("there are %d prefixes, want 4", len(prefixes))
	}
	for text, n := range prefixes {
		// A binomial of 400 draws at ¼ has a standard deviation of 8.7.
		if n < 65 || n > 135 {
			t.Errorf("a prefix is used %d times of 400, want about 100: %s", n, text)
		}
	}
}

func TestLengthsDoNotDependOnTheTokenizer(t *testing.T) {
	lengths := func(tok synth.Tokenizer) (all [][2]int) {
		s := open(t, synth.Spec{Seed: 9, Input: synth.Normal{Mean: 60, Stddev: 20}, Output: synth.Normal{Mean: 30, Stddev: 40}}, tok)
		for i := range 50 {
			r := s.At(i).Turns[0]
			all = append(all, [2]int{r.InputTokens, r.MaxTokens})
		}
		return all
	}
	want := lengths(builtin(t, "cl100k_base"))
	for _, tok := range []synth.Tokenizer{builtin(t, "o200k_base"), wordPiece(t), unigram(t)} {
		if diff := cmp.Diff(want, lengths(tok)); diff != "" {
			t.Errorf("lengths with another tokenizer (-want +got):\n%s", diff)
		}
	}
}

func TestCheckReportsEveryFaultOfASpec(t *testing.T) {
	for _, row := range []struct {
		name string
		spec synth.Spec
		want []string
	}{
		{"nothing asked for", synth.Spec{}, []string{"prompt_input_tokens: the mean 0 is not between 1 and 10000000"}},
		{
			"several at once",
			synth.Spec{Input: synth.Normal{Mean: 5, Stddev: -1}, Output: synth.Normal{Mean: -1}, Prefixes: 3, SystemTokens: -2, Sessions: -1},
			[]string{
				"prompt_input_tokens: the standard deviation -1", "prompt_output_tokens: the mean -1", "shared_system_prompt_length: -2",
				"num_prefix_prompts and prefix_prompt_length only work together", "the number of sessions is -1",
			},
		},
		{"made-up answers of no length", synth.Spec{Input: synth.Normal{Mean: 5}, History: synth.SyntheticHistory}, []string{"needs prompt_output_tokens_mean"}},
		{"a type without a file", synth.Spec{Input: synth.Normal{Mean: 5}, Format: synth.ShareGPT}, []string{"custom_dataset_type needs an input_file"}},
		{"a file without a type", synth.Spec{File: "f"}, []string{"input_file needs a custom_dataset_type: one of single_turn, multi_turn"}},
		{
			"synthetic keys beside a file",
			synth.Spec{File: "f", Format: synth.SingleTurn, SystemTokens: 3, Corpus: "c", Turns: synth.Normal{Mean: 2}},
			[]string{"shared_system_prompt_length has no effect on an input_file", "prompt_corpus has no effect", "session_turns_mean has no effect"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.spec.Check()
			if err == nil {
				t.Fatal("there is no fault")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("faults:\n%v\nwant %q in them", err, want)
				}
			}
			if _, err := synth.New(row.spec, lexicon(byteTokens{})); err == nil {
				t.Error("New takes the spec")
			}
		})
	}
}

func TestNamesOfFormatsAndHistories(t *testing.T) {
	for f := synth.SingleTurn; f <= synth.InputsJSON; f++ {
		if got, err := synth.ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("ParseFormat(%q) is %v, %v", f, got, err)
		}
	}
	if _, err := synth.ParseFormat(""); err == nil {
		t.Error("an empty custom_dataset_type is taken")
	}
	for name, want := range map[string]synth.History{"server": synth.ServerHistory, "synthetic": synth.SyntheticHistory} {
		if got, err := synth.ParseHistory(name); err != nil || got != want {
			t.Errorf("ParseHistory(%q) is %v, %v", name, got, err)
		}
	}
	if _, err := synth.ParseHistory("none"); err == nil {
		t.Error("a conversation_history of none is taken")
	}
}
