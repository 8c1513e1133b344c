package trace

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"loadgen"
)

// A builder gathers calls from events or spans, in seconds of any clock,
// and makes a trace of them. Unknown times are NaN until the end.
type builder struct {
	source  string
	base    int64 // unix nanoseconds that times are relative to: float64 has no room for both
	untimed bool
	calls   []loadgen.Call
	open    map[string]int // index of a call by the id its events carry
	session map[string]int // number of a session by its id
	unknown map[string]int // event types that were passed over
	orphans int            // ends without a start
	noTimes int            // spans or records without a time
	missing []string
}

func newBuilder() *builder {
	return &builder{open: map[string]int{}, session: map[string]int{}, unknown: map[string]int{}}
}

// seconds returns a wall time in nanoseconds as seconds since the first seen.
func (b *builder) seconds(ns int64) float64 {
	if b.base == 0 {
		b.base = ns
	}
	return float64(ns-b.base) / 1e9
}

// newCall is a call of which nothing is known.
func newCall() loadgen.Call {
	nan := math.NaN()
	return loadgen.Call{
		Start: nan, Wrote: nan, FirstToken: nan, End: nan,
		PromptTokens: -1, CompletionTokens: -1, CachedTokens: -1, ReasoningTokens: -1,
	}
}

func (b *builder) add(c loadgen.Call) { b.calls = append(b.calls, c) }

// sessionOf numbers sessions in the order they come.
func (b *builder) sessionOf(id string) int {
	n, known := b.session[id]
	if !known {
		n = len(b.session)
		b.session[id] = n
	}
	return n
}

// pass counts what has no place in a trace.
func (b *builder) pass(eventType string) {
	const most = 100 // kinds told apart
	if _, known := b.unknown[eventType]; !known && len(b.unknown) >= most {
		eventType = "others"
	}
	b.unknown[eventType]++
}

func (b *builder) finish() *loadgen.Trace {
	tr := &loadgen.Trace{Source: b.source, Untimed: b.untimed}
	b.foldPhases()
	epoch := math.Inf(1)
	for i := range b.calls {
		c := &b.calls[i]
		for _, t := range [...]float64{c.Start, c.Wrote, c.FirstToken, c.End} {
			if t < epoch {
				epoch = t
			}
		}
	}
	if math.IsInf(epoch, 1) {
		epoch = 0
	}
	tr.Epoch = float64(b.base)/1e9 + epoch
	for i := range b.calls {
		c := &b.calls[i]
		for _, t := range []*float64{&c.Start, &c.Wrote, &c.FirstToken, &c.End} {
			*t = sinceEpoch(*t, epoch)
		}
		tr.Parents = tr.Parents || c.Parent != ""
	}
	tr.Calls = b.calls
	tr.Sort()
	tr.Missing = b.lacks(tr)
	return tr
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sinceEpoch shifts a time; one that is not known becomes -1.
func sinceEpoch(t, epoch float64) float64 {
	if math.IsNaN(t) || math.IsInf(t, 0) {
		return -1
	}
	return t - epoch
}

// foldPhases takes loadgen's own connect and prefill spans back into the
// calls they are part of.
func (b *builder) foldPhases() {
	llm := map[string]int{}
	phases := 0
	for i := range b.calls {
		switch c := &b.calls[i]; {
		case c.Kind == loadgen.LLMCall:
			llm[c.ID] = i
		case c.Kind == loadgen.SpanCall:
			phases++
		}
	}
	if phases == 0 {
		return
	}
	kept := make([]bool, len(b.calls))
	for i := range b.calls {
		c := &b.calls[i]
		parent, inside := llm[c.Parent]
		kept[i] = true
		if c.Kind != loadgen.SpanCall || !inside {
			continue
		}
		switch c.Name {
		case "connect":
			b.calls[parent].Wrote = c.End
		case "prefill":
			b.calls[parent].FirstToken = c.End
		case "decode":
		default:
			continue
		}
		kept[i] = false
	}
	n := 0
	for i := range b.calls {
		if kept[i] {
			b.calls[n] = b.calls[i]
			n++
		}
	}
	clear(b.calls[n:])
	b.calls = b.calls[:n]
}

// lacks says what the calls do not carry and what that costs.
func (b *builder) lacks(tr *loadgen.Trace) []string {
	out := append([]string{}, b.missing...)
	var llm, noFirst, noTokens, noText, noCached, noEnd int
	for i := range tr.Calls {
		c := &tr.Calls[i]
		if c.End < 0 {
			noEnd++
		}
		if c.Kind != loadgen.LLMCall {
			continue
		}
		llm++
		noFirst += btoi(c.FirstToken < 0)
		noTokens += btoi(c.PromptTokens < 0 || c.CompletionTokens < 0)
		noText += btoi(c.Input == "")
		noCached += btoi(c.CachedTokens < 0)
	}
	say := func(n, of int, what, cost string) {
		switch {
		case n == 0 || of == 0:
		case n == of:
			out = append(out, "no "+what+": "+cost)
		default:
			out = append(out, fmt.Sprintf("%d of %d calls have no %s: %s", n, of, what, cost))
		}
	}
	if llm == 0 {
		out = append(out, "no LLM calls: only the tree and the concurrency of other calls can be analysed")
	}
	say(noEnd, len(tr.Calls), "end", "they count as open and have no duration")
	say(noFirst, llm, "first-token time", "TTFT, ITL and the cost of prefill are unknown for them")
	say(noTokens, llm, "token counts", "rates per token are unknown for them")
	say(noCached, llm, "cached tokens", "whether the server's prefix cache worked is a guess")
	say(noText, llm, "prompt text", "prefixes, patterns by prompt and new words per turn are unknown for them")
	if !tr.Parents && len(tr.Calls) > llm {
		out = append(out, "no parent ids: nesting is taken from which interval contains which")
	}
	if b.orphans > 0 {
		out = append(out, fmt.Sprintf("%d ends have no start: they are left out", b.orphans))
	}
	if b.noTimes > 0 {
		out = append(out, fmt.Sprintf("%d entries carry no time: they are left out", b.noTimes))
	}
	if len(b.unknown) > 0 {
		out = append(out, "events of unknown types are left out: "+b.passed())
	}
	return out
}

// passed lists the unknown types with their counts.
func (b *builder) passed() string {
	names := make([]string, 0, len(b.unknown))
	for name, n := range b.unknown {
		names = append(names, fmt.Sprintf("%s (%d)", name, n))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
