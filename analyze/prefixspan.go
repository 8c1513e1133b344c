package analyze

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"loadgen"
	"loadgen/metrics"
)

// Patterns is prefix_span_analysis.
type Patterns struct {
	Patterns []Pattern     `json:"patterns"`
	More     *PatternsMore `json:"loadgen,omitempty"`
}

// A Pattern is a sequence of calls that several sessions make in this order.
type Pattern struct {
	Items     []string `json:"pattern"`
	Frequency int      `json:"frequency"`           // sessions that contain it, other calls between allowed
	Coverage  Number   `json:"coverage"`            // share of sessions that contain it without gaps
	Duration  Number   `json:"average_duration"`    // seconds of its calls, per match without gaps
	Examples  []int    `json:"examples_containing"` // sessions with a match without gaps
}

// PatternsMore says what the search was.
type PatternsMore struct {
	Sessions  int  `json:"sessions"`
	Support   int  `json:"min_support_sessions"`
	Truncated bool `json:"truncated"` // patterns of the least support were given up to bound the work
}

const (
	// patternsMost and patternWork bound the search: the number of patterns of
	// n sessions can grow as 2 to the length of the longest.
	patternsMost = 10_000
	patternWork  = 50_000_000 // calls looked at
)

// An item is what makes two calls the same for a pattern.
type item struct {
	kind       loadgen.CallKind
	name, text string
}

// String returns AIQ's form: LLM:<name>|<text> or TOOL:<name>.
func (t item) String() string {
	s := t.kind.String() + ":" + t.name
	if t.text != "" {
		s += "|" + t.text
	}
	return s
}

// PrefixSpan mines sub-workflows that sessions have in common, the most
// frequent first, until the bounds on its work. A call is told apart by its
// model and the beginning of its prompt; AIQ's form loses the prompts.
func PrefixSpan(tr *loadgen.Trace, opt Options) *Patterns {
	return newView(tr, opt).prefixSpan()
}

// A sequence is the calls of one session as numbers of items.
type sequence struct {
	example int
	items   []int32
	took    []float64
}

func (v *view) prefixSpan() *Patterns {
	sequences, names := v.sequences()
	out := &Patterns{Patterns: []Pattern{}}
	support := int(v.opt.MinSupport)
	if v.opt.MinSupport < 1 {
		support = max(1, int(math.RoundToEven(v.opt.MinSupport*float64(len(sequences)))))
	}
	found, truncated := mine(sequences, support)
	for _, f := range found {
		p := contiguous(f, sequences)
		if float64(p.Coverage) < v.opt.MinCoverage {
			continue
		}
		for _, i := range f.items {
			p.Items = append(p.Items, names[i].String())
		}
		out.Patterns = append(out.Patterns, p)
	}
	slices.SortStableFunc(out.Patterns, func(a, b Pattern) int {
		return cmp.Or(cmp.Compare(b.Frequency, a.Frequency), cmp.Compare(b.Coverage, a.Coverage), cmp.Compare(b.Duration, a.Duration))
	})
	if v.opt.TopK > 0 && len(out.Patterns) > v.opt.TopK {
		out.Patterns = out.Patterns[:v.opt.TopK]
	}
	if !v.opt.AIQ {
		for i := range out.Patterns {
			if p := &out.Patterns[i]; len(p.Examples) == 0 {
				p.Duration = undefined
			} else {
				p.Examples = p.Examples[:v.opt.limit(len(p.Examples))]
			}
		}
		out.More = &PatternsMore{Sessions: len(sequences), Support: support, Truncated: truncated}
	}
	return out
}

func (v *view) sequences() ([]sequence, []item) {
	number := map[item]int32{}
	var names []item
	var sequences []sequence
	for _, calls := range v.sessions {
		s := sequence{example: calls[0].Example}
		for _, c := range calls {
			if c.Kind != loadgen.LLMCall && c.Kind != loadgen.ToolCallKind {
				continue
			}
			t := item{kind: c.Kind, name: c.Name}
			if c.Kind == loadgen.LLMCall && !v.opt.AIQ {
				t.text = beginning(c.Input, v.opt.MaxTextLen)
			}
			n, known := number[t]
			if !known {
				n = int32(len(names))
				number[t] = n
				names = append(names, t)
			}
			s.items, s.took = append(s.items, n), append(s.took, c.Duration())
		}
		sequences = append(sequences, s)
	}
	return sequences, names
}

// beginning returns the first n characters with newlines as spaces; all of
// the text for n ≤ 0.
func beginning(text string, n int) string {
	if n > 0 && len(text) > n {
		at := 0
		for range n {
			if at >= len(text) {
				break
			}
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
		}
		text = text[:at]
	}
	if strings.ContainsRune(text, '\n') {
		text = strings.ReplaceAll(text, "\n", " ")
	}
	return text
}

// A candidate is a pattern with the place behind its first match in each
// sequence that contains it.
type candidate struct {
	items  []int32
	places []place
}

type place struct{ sequence, next int32 }

// A queue hands out the candidate with the most sequences, of equals the
// shortest.
type queue []*candidate

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*candidate)) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(len(q[j].places), len(q[i].places)), cmp.Compare(len(q[i].items), len(q[j].items)), slices.Compare(q[i].items, q[j].items)) < 0
}

func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// mine grows patterns item by item over projected sequences, as PrefixSpan
// does, but the most frequent first: a longer pattern is never more frequent
// than what it grew from, so stopping early loses the least frequent only.
func mine(sequences []sequence, support int) (found []*candidate, truncated bool) {
	root := &candidate{places: make([]place, len(sequences))}
	for i := range sequences {
		root.places[i].sequence = int32(i)
	}
	work := 0
	q := queue{root}
	seen := map[int32]int32{} // item: the sequence it was last counted in
	for len(q) > 0 {
		c := heap.Pop(&q).(*candidate)
		if len(c.items) > 0 {
			found = append(found, c)
		}
		if len(found) >= patternsMost || work >= patternWork {
			return found, len(q) > 0
		}
		counts := map[int32]int{}
		clear(seen)
		scan := func(visit func(item int32, at place)) {
			clear(seen)
			for _, p := range c.places {
				items := sequences[p.sequence].items
				for i := int(p.next); i < len(items); i++ {
					if seen[items[i]] != p.sequence+1 {
						seen[items[i]] = p.sequence + 1
						visit(items[i], place{p.sequence, int32(i + 1)})
					}
				}
				work += len(items) - int(p.next)
			}
		}
		scan(func(item int32, _ place) { counts[item]++ })
		grown := map[int32]*candidate{}
		for item, n := range counts {
			if n >= max(1, support) {
				grown[item] = &candidate{append(slices.Clone(c.items), item), make([]place, 0, n)}
			}
		}
		if len(grown) == 0 {
			continue
		}
		scan(func(item int32, at place) {
			if g := grown[item]; g != nil {
				g.places = append(g.places, at)
			}
		})
		for _, g := range grown {
			heap.Push(&q, g)
		}
	}
	return found, false
}

// contiguous counts a pattern's matches without gaps, which may overlap.
func contiguous(c *candidate, sequences []sequence) Pattern {
	p := Pattern{Frequency: len(c.places), Examples: []int{}}
	matches, total := 0, 0.0
	for _, at := range c.places {
		s := sequences[at.sequence]
		here := 0
		for i := 0; i+len(c.items) <= len(s.items); i++ {
			if slices.Equal(s.items[i:i+len(c.items)], c.items) {
				here++
				for _, took := range s.took[i : i+len(c.items)] {
					total += took
				}
			}
		}
		if matches += here; here > 0 {
			p.Examples = append(p.Examples, s.example)
		}
	}
	p.Coverage = Number(float64(len(p.Examples)) / float64(len(sequences)))
	if matches > 0 {
		p.Duration = Number(total / float64(matches))
	}
	return p
}

// Quantiles are AIQ's three percentiles.
type Quantiles struct {
	P90 Number `json:"p90"`
	P95 Number `json:"p95"`
	P99 Number `json:"p99"`
}

func quantilesOf(values []float64) Quantiles {
	s := metrics.Sorted(values)
	return Quantiles{Number(metrics.Percentile(s, 90)), Number(metrics.Percentile(s, 95)), Number(metrics.Percentile(s, 99))}
}
