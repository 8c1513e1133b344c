package synth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/synth"
)

// sessions returns the first n of a source.
func sessions(t *testing.T, spec synth.Spec, n int) []*loadgen.Session {
	t.Helper()
	s := open(t, spec, builtin(t, "cl100k_base"))
	list := make([]*loadgen.Session, n)
	for i := range list {
		session, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		list[i] = session
	}
	return list
}

// TestASaltChangesWordsAlone checks that two nights with one seed send prompts of
// the same shapes, at the same times, in other words.
func TestASaltChangesWordsAlone(t *testing.T) {
	spec := rich()
	spec.Salt = "monday"
	monday := sessions(t, spec, 50)
	if diff := cmp.Diff(monday, sessions(t, spec, 50)); diff != "" {
		t.Errorf("the same salt makes others (-first +second):\n%s", diff)
	}
	for _, salt := range []string{"tuesday", ""} {
		spec.Salt = salt
		other := sessions(t, spec, 50)
		if diff := cmp.Diff(monday, other, cmpopts.IgnoreFields(loadgen.Request{}, "Messages")); diff != "" {
			t.Errorf("salt %q changes more than messages (-monday +other):\n%s", salt, diff)
		}
		for i := range monday {
			for k, r := range monday[i].Turns {
				for m := range r.Messages {
					if a, b := r.Messages[m], other[i].Turns[k].Messages[m]; a.Content == b.Content || a.Role != b.Role {
						t.Errorf("salt %q: message %d of turn %d of session %d is the same", salt, m, k, i)
					}
				}
			}
		}
	}
}

// TestSharedPartsStaySharedWithASalt checks that a pool of prefixes has as many
// texts as without a salt, taken by the same sessions.
func TestSharedPartsStaySharedWithASalt(t *testing.T) {
	pool := func(salt string) (prefixes []string, systems map[string]bool) {
		spec := synth.Spec{
			Seed: 42, Salt: salt, Input: synth.Normal{Mean: 8},
			SystemTokens: 20, Prefixes: 3, PrefixTokens: 16,
		}
		systems = map[string]bool{}
		for _, s := range sessions(t, spec, 100) {
			messages := s.Turns[0].Messages
			systems[messages[0].Content] = true
			prefixes = append(prefixes, strings.Join(strings.Fields(messages[1].Content)[:16], " "))
		}
		return prefixes, systems
	}
	plain, _ := pool("")
	salted, systems := pool("monday")
	if len(systems) != 1 {
		t.Errorf("%d system prompts, want 1", len(systems))
	}
	stands := map[string]string{}
	for i := range plain {
		if was, seen := stands[plain[i]]; seen && was != salted[i] {
			t.Errorf("session %d takes another prefix of the pool", i)
		}
		stands[plain[i]] = salted[i]
		if plain[i] == salted[i] {
			t.Errorf("session %d has the same prefix", i)
		}
	}
	if len(stands) != 3 {
		t.Errorf("%d prefixes, want 3", len(stands))
	}
}

// TestNightsShareNoFirstBlock holds the first 16 tokens of all prompts of two
// nights against each other.
func TestNightsShareNoFirstBlock(t *testing.T) {
	const n = 3000
	first := map[string]string{}
	for _, salt := range []string{"", "monday", "tuesday"} {
		for _, s := range sessions(t, synth.Spec{Seed: 42, Salt: salt, Input: synth.Normal{Mean: 20}}, n) {
			block := strings.Join(strings.Fields(s.Turns[0].Messages[0].Content)[:16], " ")
			if night, seen := first[block]; seen {
				t.Fatalf("%q is of %q and %q", block, night, salt)
			}
			first[block] = salt
		}
	}
}

func TestBlocksOfATraceFollowTheSalt(t *testing.T) {
	path := write(t, "trace.jsonl", `{"input_length": 40, "hash_ids": [7, 8, 9]}`+"\n"+`{"input_length": 40, "hash_ids": [7, 8, 10]}`+"\n")
	heads := map[string]bool{}
	for _, salt := range []string{"", "monday", "tuesday"} {
		spec := synth.Spec{Seed: 42, Salt: salt, File: path, Format: synth.MooncakeTrace, BlockTokens: 16}
		list := sessions(t, spec, 2)
		head := func(i int) string {
			return strings.Join(strings.Fields(list[i].Turns[0].Messages[0].Content)[:32], " ")
		}
		if head(0) != head(1) {
			t.Errorf("salt %q: prompts with the same ids begin differently", salt)
		}
		heads[head(0)] = true
	}
	if len(heads) != 3 {
		t.Errorf("%d heads of 3 nights", len(heads))
	}
}
