package analyze_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"loadgen"
	"loadgen/analyze"
)

// The analyses are held to slow ones that are plainly right.

func TestCommonPrefixesAgainstEveryPrefix(t *testing.T) {
	rng := loadgen.Seed(1).Rand("prefixes")
	for round := range 300 {
		tr := &loadgen.Trace{}
		n := 1 + rng.IntN(12)
		for i := range n {
			c := llm(i, fmt.Sprint(i), float64(i), float64(i+1))
			for range rng.IntN(7) {
				c.Input += []string{"a", "b", "é", "ê"}[rng.IntN(4)] // the last two share a byte
			}
			tr.Calls = append(tr.Calls, c)
		}
		opt := analyze.Defaults()
		opt.MinFrequency = []float64{0, 0.2, 0.5, 1}[rng.IntN(4)]
		got := map[string]int{}
		for _, p := range analyze.CommonPrefixes(tr, opt)[0].Value.Info {
			got[p.Text] = p.Calls
		}
		if want := slowPrefixes(tr, opt.MinFrequency); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("round %d: got %v, want %v", round, got, want)
		}
	}
}

// slowPrefixes counts every prefix and keeps those that no longer one with
// calls enough begins with.
func slowPrefixes(tr *loadgen.Trace, frequency float64) map[string]int {
	counts := map[string]int{}
	for _, c := range tr.Calls {
		for i := range c.Input {
			if i > 0 {
				counts[c.Input[:i]]++
			}
		}
		if c.Input != "" {
			counts[c.Input]++
		}
	}
	kept := map[string]int{}
	for text, n := range counts {
		if float64(n) < frequency*float64(len(tr.Calls)) {
			continue
		}
		kept[text] = n
	}
	for text := range kept {
		for other := range kept {
			if other != text && strings.HasPrefix(other, text) {
				delete(kept, text)
			}
		}
	}
	return kept
}

func TestContainmentAgainstTheShortestContainer(t *testing.T) {
	rng := loadgen.Seed(1).Rand("containment")
	kinds := []loadgen.CallKind{loadgen.LLMCall, loadgen.ToolCallKind, loadgen.FunctionCall}
	for round := range 300 {
		tr := &loadgen.Trace{}
		for i := range 1 + rng.IntN(12) {
			start := float64(rng.IntN(10))
			c := llm(0, fmt.Sprint(i), start, start+1+float64(rng.IntN(10)))
			c.Kind = kinds[rng.IntN(len(kinds))]
			tr.Calls = append(tr.Calls, c)
		}
		calls := slices.Clone(tr.Calls)
		slices.SortStableFunc(calls, func(a, b loadgen.Call) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
		})
		for i, node := range nestingOf(tr) {
			want := 0 // depth: one more than that of the shortest container before it
			for k := i; k >= 0; {
				best := -1
				for j := range k {
					if calls[j].Kind != loadgen.LLMCall && calls[j].End >= calls[k].End && (best < 0 || calls[j].End <= calls[best].End) {
						best = j
					}
				}
				if k = best; k >= 0 {
					want++
				}
			}
			if node != want {
				t.Fatalf("round %d: call %d of %v lies at depth %d, want %d", round, i, calls, node, want)
			}
		}
	}
}

// nestingOf returns the depth of each call in order of start, the longest
// first.
func nestingOf(tr *loadgen.Trace) []int {
	nested := analyze.NestedStack(tr, analyze.Defaults())
	type at struct {
		start, end analyze.Number
		id, depth  int
	}
	var all []at
	for i, m := range nested.Nodes {
		var id int
		fmt.Sscan(m.Key, &id)
		all = append(all, at{m.Value.Start, m.Value.End, id, nested.Depths[i]})
	}
	slices.SortStableFunc(all, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), cmp.Compare(a.id, b.id))
	})
	depths := make([]int, len(all))
	for i := range all {
		depths[i] = all[i].depth
	}
	return depths
}

func TestPercentileIntervalHoldsWhatItShould(t *testing.T) {
	// The median of 400 uniform values lies within 0.5 ± 0.05 for 95 of 100
	// samples; the interval should hold 0.5 for about as many.
	held := 0
	for s := range loadgen.Seed(60) {
		rng := s.Rand("uniform")
		values := make([]float64, 400)
		for i := range values {
			values[i] = rng.Float64()
		}
		if iv := analyze.PercentileIntervals(values, s, 50)[0]; iv[0] <= 0.5 && iv[1] >= 0.5 {
			held++
		}
	}
	if held < 51 {
		t.Errorf("%d of 60 intervals at 95 %% hold the true median", held)
	}
}

func TestSpearmanKnowsOrderOnly(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5}
	tests := []struct {
		name string
		y    []float64
		want float64
	}{
		{"rising, however fast", []float64{1, 10, 100, 1000, 1e9}, 1},
		{"falling", []float64{5, 4, 3, 2, 1}, -1},
		{"a swap of neighbours: 1 − 6·2/(5·24)", []float64{1, 3, 2, 4, 5}, 0.9},
		{"a tie: ranks 1, 2.5, 2.5, 4, 5", []float64{1, 2, 2, 4, 5}, 0.9746794344808963},
	}
	for _, tt := range tests {
		if got := float64(analyze.Spearman(x, tt.y)); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if analyze.Spearman(x, []float64{7, 7, 7, 7, 7}).Defined() {
		t.Error("a constant has no correlation")
	}
}

func FuzzRun(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		tr := &loadgen.Trace{}
		for ; len(data) >= 8 && len(tr.Calls) < 200; data = data[8:] {
			x := binary.LittleEndian.Uint64(data)
			c := llm(int(x&3), fmt.Sprint(x>>2&31), float64(x>>7&15)-1, float64(x>>11&31)-1)
			c.Kind = loadgen.CallKind(x >> 16 % 5)
			c.FirstToken = float64(x>>20&31) - 1
			c.PromptTokens, c.CompletionTokens = int(x>>25&63)-1, int(x>>31&7)-1
			c.Failed = x>>35&7 == 0
			c.Input = fmt.Sprintf("%b", x>>38&255)
			c.Function, c.FunctionID = fmt.Sprint(x>>46&3), fmt.Sprint(x>>46&3)
			if x>>50&1 == 1 {
				c.Parent = fmt.Sprint(x >> 51 & 31)
			}
			tr.Parents = tr.Parents || x>>56&1 == 1
			tr.Calls = append(tr.Calls, c)
		}
		for _, aiq := range []bool{false, true} {
			opt := analyze.Defaults()
			opt.AIQ = aiq
			analyze.Run(tr, opt)
		}
		opt := analyze.Defaults()
		opt.Phases = true
		for range analyze.Events(tr, opt) {
		}
		analyze.Findings([]analyze.CellFacts{analyze.FactsFrom("", 0, 0, tr)}, analyze.Defaults())
	})
}
