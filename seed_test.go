package loadgen_test

import (
	"fmt"
	"regexp"
	"testing"

	"loadgen"
)

// first returns the first number of an item.
func first(s loadgen.Stream, i int) uint64 {
	rng := s.At(i)
	return rng.Uint64()
}

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
		{"the first item of the purpose", first(seed.Stream("arrivals"), 0), false},
		{"the seed of a part", seed.Sub("cell").Rand("arrivals").Uint64(), false},
	} {
		if (tt.value == same) != tt.equal {
			t.Errorf("%s: equal %v, want %v", tt.name, !tt.equal, tt.equal)
		}
	}
}

func TestItemsAreTheSameInAnyOrder(t *testing.T) {
	stream := loadgen.Seed(42).Stream("x")
	var forward [100]uint64
	for i := range forward {
		forward[i] = first(stream, i)
	}
	for i := len(forward) - 1; i >= 0; i-- {
		if first(loadgen.Seed(42).Stream("x"), i) != forward[i] {
			t.Errorf("item %d is another one when it is made after those behind it", i)
		}
	}
}

func TestItemsAreUnrelated(t *testing.T) {
	stream, other := loadgen.Seed(42).Stream("x"), loadgen.Seed(42).Stream("y")
	neighbour := loadgen.Seed(43).Stream("x")
	second := func(i int) uint64 {
		rng := stream.At(i)
		rng.Uint64()
		return rng.Uint64()
	}
	for _, row := range []struct {
		name string
		of   func(i int) uint64
	}{
		{"the first number", func(i int) uint64 { return first(stream, i) }},
		{"the second number", second},
		{"the first number of every 65,536th item", func(i int) uint64 { return first(stream, i<<16) }},
		{"what tells the first number from the second", func(i int) uint64 { return first(stream, i) ^ second(i) }},
		{"what tells an item from the next", func(i int) uint64 { return first(stream, i) ^ first(stream, i+1) }},
		{"what tells the second number from the next item's first", func(i int) uint64 { return second(i) ^ first(stream, i+1) }},
		{"what tells an item from that of another purpose", func(i int) uint64 { return first(stream, i) ^ first(other, i) }},
		{"what tells an item from that of the next seed", func(i int) uint64 { return first(stream, i) ^ first(neighbour, i) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			const n = 10_000
			var ones [64]int
			for i := range n {
				x := row.of(i)
				for bit := range ones {
					ones[bit] += int(x >> bit & 1)
				}
			}
			for bit, got := range ones {
				// A binomial of 10,000 draws at ½ has a standard deviation of 50.
				if got < n/2-250 || got > n/2+250 {
					t.Errorf("bit %d is set %d times of %d, want about half", bit, got, n)
				}
			}
		})
	}
}

// TestMixIsThatOfSplitMix64 compares it with the first numbers that Vigna's
// splitmix64.c gives for a seed of 1234567.
func TestMixIsThatOfSplitMix64(t *testing.T) {
	state := uint64(1234567)
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		state += loadgen.Stride
		if got := loadgen.Mix(state); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestUUIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	stream := loadgen.Seed(1).Stream("request")
	for i := range 1000 {
		rng, again := stream.At(i), stream.At(i)
		high, low := again.Uint64(), again.Uint64()
		// Version and variant take the place of six bits (RFC 9562, 5.4).
		high, low = high&0xffffffffffff0fff|0x4000, low&0x3fffffffffffffff|0x8000000000000000
		want := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
		got := string(loadgen.AppendUUID(nil, &rng))
		if got != want || !form.MatchString(got) || len(got) != loadgen.UUIDLen {
			t.Fatalf("item %d has %q, want %s, a version 4 UUID", i, got, want)
		}
	}
}

func TestNoTwoUUIDsAreEqual(t *testing.T) {
	const items = 500_000
	stream := loadgen.Seed(1).Stream("request")
	seen := make(map[[loadgen.UUIDLen]byte]bool, 2*items)
	for i := range items {
		rng := stream.At(i)
		for range 2 {
			var id [loadgen.UUIDLen]byte
			loadgen.AppendUUID(id[:0], &rng)
			if seen[id] {
				t.Fatalf("item %d has %s, which was given out before", i, id)
			}
			seen[id] = true
		}
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
	blown := loadgen.Record{Chunks: make([]loadgen.Chunk, 2<<20), Text: make([]byte, 2<<20), Thought: make([]byte, 2<<20), Tools: make([]byte, 2<<20)}
	blown.Reset()
	if n := cap(blown.Chunks) + cap(blown.Text) + cap(blown.Thought) + cap(blown.Tools); n != 0 {
		t.Errorf("%d elements of blown-up slices are kept", n)
	}
	if r.Failure != nil || r.Status != 0 || r.Model != "" || r.Usage != loadgen.NoUsage || r.OutputTokens != -1 || r.ReasoningTokens != -1 {
		t.Errorf("something of the last request is left: %+v", r)
	}
}
