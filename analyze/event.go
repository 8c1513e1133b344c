package analyze

import (
	"cmp"
	"iter"
	"slices"

	"loadgen"
)

// An event is the start or the end of calls[call].
type event struct {
	time  float64
	call  int32
	start bool
}

// eventsOf returns the events of a session's calls, which are sorted by start
// and longest first, in causal order: at one moment the ends of inner calls,
// then of outer ones, then the starts of outer calls, then of inner ones, and
// calls of no length last, each start before its end. A call without an end
// has a start only.
func eventsOf(calls []*loadgen.Call, events []event) []event {
	events = events[:0]
	for i, c := range calls {
		events = append(events, event{c.Start, int32(i), true})
		if c.End >= 0 {
			events = append(events, event{max(c.Start, c.End), int32(i), false})
		}
	}
	class := func(e event) int {
		switch c := calls[e.call]; {
		case c.End <= c.Start:
			return 2
		case e.start:
			return 1
		default:
			return 0
		}
	}
	slices.SortFunc(events, func(a, b event) int {
		if byTime := cmp.Compare(a.time, b.time); byTime != 0 {
			return byTime
		}
		ca, cb := class(a), class(b)
		switch {
		case ca != cb:
			return ca - cb
		case ca == 0:
			return int(b.call - a.call)
		case a.call != b.call:
			return int(a.call - b.call)
		case a.start:
			return -1
		default:
			return 1
		}
	})
	return events
}

// Events yields the starts and ends of a trace's calls, session after session
// and each in order of time: the rows of standardized_data_all.csv and the
// steps of all_requests_profiler_traces.json. With Options.Nova each carries
// the NOVA columns, with Options.Phases the phases of calls are events, too. A
// call without a start is left out; an event's call is valid until the next.
func Events(tr *loadgen.Trace, opt Options) iter.Seq[loadgen.Event] {
	return func(yield func(loadgen.Event) bool) {
		calls := make([]*loadgen.Call, 0, len(tr.Calls))
		for i := range tr.Calls {
			if tr.Calls[i].Start >= 0 {
				calls = append(calls, &tr.Calls[i])
			}
		}
		slices.SortStableFunc(calls, func(a, b *loadgen.Call) int {
			return cmp.Or(cmp.Compare(a.Example, b.Example), cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
		})
		var buf []event
		var spans []loadgen.Call
		for from := 0; from < len(calls); {
			to := from + 1
			for to < len(calls) && calls[to].Example == calls[from].Example {
				to++
			}
			session := calls[from:to]
			if opt.Phases {
				session, spans = phased(session, spans)
			}
			buf = eventsOf(session, buf)
			if !yieldSession(session, buf, opt, yield) {
				return
			}
			from = to
		}
	}
}

func yieldSession(calls []*loadgen.Call, events []event, opt Options, yield func(loadgen.Event) bool) bool {
	var columns []loadgen.Nova
	if opt.Nova {
		columns = nova(calls, events, opt.AIQ)
	}
	lastEnd := -1.0
	for i, e := range events {
		c := calls[e.call]
		out := loadgen.Event{Call: c, Start: e.start, Time: e.time}
		if columns != nil {
			out.Nova = &columns[i]
		}
		if c.Kind == loadgen.LLMCall && !e.start {
			if lastEnd >= 0 {
				out.Gap = max(0, c.Start-lastEnd)
			}
			lastEnd = max(lastEnd, c.End)
		}
		if !yield(out) {
			return false
		}
	}
	return true
}

// nova computes the NOVA columns of a session's events. An event of AIQ's
// terms is a function: what remains in it are LLM calls that start strictly
// later, its end is for AIQ the start of the last of them, else its end.
func nova(calls []*loadgen.Call, events []event, aiq bool) []loadgen.Nova {
	type group struct {
		starts  []float64 // of LLM calls, ascending
		lastEnd float64
		passed  int // starts at or before the current time
	}
	groups := make(map[string]*group)
	sessionEnd := 0.0
	for _, e := range events {
		c := calls[e.call]
		sessionEnd = max(sessionEnd, e.time)
		if c.Kind != loadgen.LLMCall || !e.start {
			continue
		}
		g := groups[c.Function]
		if g == nil {
			g = &group{}
			groups[c.Function] = g
		}
		g.starts = append(g.starts, e.time)
		g.lastEnd = max(g.lastEnd, c.End, c.Start)
	}
	columns := make([]loadgen.Nova, len(events))
	for i, e := range events {
		c := calls[e.call]
		n := loadgen.Nova{
			Event: c.Function, Remaining: -1, ToNext: -1, ToEventEnd: -1, OutputTokens: -1,
			ToSessionEnd: 1000 * (sessionEnd - e.time),
		}
		if e.start && c.Kind == loadgen.LLMCall {
			n.OutputTokens = c.CompletionTokens
		}
		if g := groups[c.Function]; g != nil {
			for g.passed < len(g.starts) && g.starts[g.passed] <= e.time {
				g.passed++
			}
			n.Remaining = len(g.starts) - g.passed
			if n.Remaining > 0 {
				n.ToNext = 1000 * (g.starts[g.passed] - e.time)
				n.ToEventEnd = 1000 * (g.starts[len(g.starts)-1] - e.time)
			}
			if !aiq {
				n.ToEventEnd = 1000 * max(0, g.lastEnd-e.time)
			}
		}
		columns[i] = n
	}
	return columns
}

// Phases of an LLM call, as spans under it.
const (
	PhaseConnect = "connect" // until the request is on the wire
	PhasePrefill = "prefill" // from there to the first token: network, server queue and prefill together
	PhaseDecode  = "decode"  // from the first token to the last
)

// appendPhases appends connect, prefill and decode of an LLM call, as spans
// under it; none where it tells none. Without a time on the wire prefill begins
// with the call.
func appendPhases(spans []loadgen.Call, c *loadgen.Call) []loadgen.Call {
	if c.Kind != loadgen.LLMCall || !c.Done() {
		return spans
	}
	from := c.Start
	add := func(phase string, to float64) {
		if to < from || to > c.End {
			return
		}
		spans = append(spans, loadgen.Call{
			Example: c.Example, ID: c.ID + "/" + phase, Parent: c.ID, Kind: loadgen.SpanCall, Name: phase,
			Start: from, Wrote: -1, FirstToken: -1, End: to, Failed: c.Failed, Error: c.Error,
			PromptTokens: -1, CompletionTokens: -1, CachedTokens: -1, ReasoningTokens: -1,
			Function: phase, FunctionID: c.ID + "/" + phase,
			ParentFunction: c.Function, ParentFunctionID: c.FunctionID,
		})
		from = to
	}
	if c.Wrote >= 0 {
		add(PhaseConnect, c.Wrote)
	}
	if c.FirstToken >= 0 {
		add(PhasePrefill, c.FirstToken)
		add(PhaseDecode, c.End)
	}
	return spans
}

// phased returns a session's calls with their phases, in the order of calls.
// It uses spans' memory again.
func phased(session []*loadgen.Call, spans []loadgen.Call) ([]*loadgen.Call, []loadgen.Call) {
	spans = spans[:0]
	for _, c := range session {
		spans = appendPhases(spans, c)
	}
	all := slices.Clone(session)
	for i := range spans {
		all = append(all, &spans[i])
	}
	slices.SortStableFunc(all, func(a, b *loadgen.Call) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	return all, spans
}
