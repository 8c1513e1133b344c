package loadgen_test

import (
	"regexp"
	"testing"

	"loadgen"
)

func TestStreamsOfASeed(t *testing.T) {
	seed := loadgen.Seed(42)
	same := seed.Rand("arrivals").Uint64()
	for _, tt := range []struct {
		name  string
		value uint64
		equal bool
	}{
		{"the same purpose of the same seed", loadgen.Seed(42).Rand("arrivals").Uint64(), true},
		{"another purpose", seed.Rand("prompts").Uint64(), false},
		{"another seed", loadgen.Seed(43).Rand("arrivals").Uint64(), false},
		{"the first item of the purpose", seed.RandAt("arrivals", 0).Uint64(), false},
		{"the seed of a part", seed.Sub("cell").Rand("arrivals").Uint64(), false},
	} {
		if (tt.value == same) != tt.equal {
			t.Errorf("%s: equal %v, want %v", tt.name, !tt.equal, tt.equal)
		}
	}
	if seed.RandAt("x", 1).Uint64() == seed.RandAt("x", 2).Uint64() {
		t.Error("two items of a purpose draw the same")
	}
}

func TestUUIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for i := range uint64(1000) {
		id := loadgen.Seed(1).UUID("request", i)
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%q is no version 4 UUID, or was given out before", id)
		}
		seen[id] = true
	}
	if again := loadgen.Seed(1).UUID("request", 7); !seen[again] {
		t.Errorf("the same item has another UUID: %s", again)
	}
}

func TestResetKeepsCapacityOnly(t *testing.T) {
	r := loadgen.Record{
		Chunks: make([]loadgen.Chunk, 3, 100), Text: []byte("text"), Thought: []byte("thought"), Tools: []byte("tools"),
		Failure: &loadgen.Failure{}, Status: 200, Model: "m",
	}
	r.Reset()
	if len(r.Chunks)+len(r.Text)+len(r.Thought)+len(r.Tools) != 0 || cap(r.Chunks) != 100 {
		t.Error("slices are not empty, or lost their capacity")
	}
	if r.Failure != nil || r.Status != 0 || r.Model != "" || r.Usage != loadgen.NoUsage || r.OutputTokens != -1 || r.ReasoningTokens != -1 {
		t.Errorf("something of the last request is left: %+v", r)
	}
}
