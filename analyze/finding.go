package analyze

import (
	"cmp"
	"fmt"
	"slices"
)

// A Confidence says how far a finding can be trusted.
type Confidence string

const (
	High   Confidence = "high"   // the numbers leave no other reading that we know
	Medium Confidence = "medium" // they fit, and something needed to be sure is missing
	Low    Confidence = "low"    // worth a look
)

// A Control says in whose hands a cause is.
type Control string

const (
	Client     Control = "client"
	Deployment Control = "deployment"
	Model      Control = "model"
	Workload   Control = "workload"
)

// A Finding is one cause of lost time or tokens, with what speaks for it and
// what to try.
type Finding struct {
	ID      string   `json:"id"` // stable: queue, slow-prefill, shared-prefix, …
	Title   string   `json:"title"`
	Control Control  `json:"controllable_by"`
	Try     []string `json:"try"`

	// Seconds are those of all requests together that would not have been
	// spent without the cause, Tokens those that need not have been computed;
	// absent where the data does not tell.
	Seconds    Number     `json:"estimated_seconds_saved,omitzero"`
	Tokens     Number     `json:"estimated_tokens_saved,omitzero"`
	Confidence Confidence `json:"confidence"`
	Evidence   []Evidence `json:"evidence"`

	pressing bool // comes first, whatever it costs: the times of the rest mean little
}

// Evidence is a number that a finding rests on and where it stands.
type Evidence struct {
	What  string `json:"what"`
	Value Number `json:"value"`
	Unit  string `json:"unit"`
	Where string `json:"where"` // the cell, and in it the field of a file where there is one
}

// idNoData and idNothing rank behind all others.
const (
	idNoData  = "not-enough-data"
	idNothing = "nothing-stands-out"
)

// Findings looks for the causes of slow or wasted work in the cells of a
// batch, or in one trace, and ranks them by the seconds and then the tokens
// that they cost. What the data does not carry is said as a finding, last.
// Where a tenth of the requests failed, that comes first.
func Findings(cells []CellFacts, opt Options) []Finding {
	return findings(cells, opt, func(c *CellFacts) *view { return c.under(opt) })
}

// findings takes the view of each cell from ready.
func findings(cells []CellFacts, opt Options, ready func(*CellFacts) *view) []Finding {
	s := newStudy(cells, opt, ready)
	found := s.agreed(s.acrossLoads())
	for _, f := range s.servers() {
		// What the server tells of a cause is more than what it looks like from here,
		// and where both sides tell it, it is sure.
		if at := slices.IndexFunc(found, func(g Finding) bool { return g.ID == f.ID }); at >= 0 {
			f.Confidence = High
			found = slices.Delete(found, at, at+1)
		}
		found = append(found, f)
	}
	for _, look := range []func() []Finding{s.crowding, s.failures, s.lag, s.sessions} {
		found = append(found, look()...)
	}
	if len(found) == 0 && s.requests() > 0 {
		found = append(found, Finding{
			ID: idNothing, Title: "no cause of lost time stands out in these numbers",
			Control: Workload, Confidence: Low, Seconds: undefined, Tokens: undefined,
			Try: []string{"raise the load until a latency moves, or compare with another deployment"},
		})
	}
	found = append(found, s.missing()...)
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.last(), b.last()),
			cmp.Compare(positive(float64(b.Seconds)), positive(float64(a.Seconds))),
			cmp.Compare(positive(float64(b.Tokens)), positive(float64(a.Tokens))),
		)
	})
	return found
}

// Lack reports whether the finding is no cause but something that could not be
// looked for.
func (f *Finding) Lack() bool { return f.ID == idNoData }

func (f *Finding) last() int {
	switch {
	case f.ID == idNoData:
		return 2
	case f.ID == idNothing:
		return 1
	case f.pressing:
		return -1
	}
	return 0
}

func (s *study) requests() int {
	n := 0
	for i := range s.cells {
		n += s.cells[i].Requests
	}
	return n
}

// missing says what could not be looked for.
func (s *study) missing() []Finding {
	var out []Finding
	lackOf := func(requests int, title, try string, where string) {
		out = append(out, Finding{
			ID: idNoData, Title: title, Control: Client, Try: []string{try}, Confidence: High,
			Seconds: undefined, Tokens: undefined, Evidence: []Evidence{{"requests", Number(requests), "count", where}},
		})
	}
	lack := func(title, try string, where string) { lackOf(s.requests(), title, try, where) }
	if s.requests() == 0 {
		lack("not enough data: no request ended", "check that the endpoint answers and run again", "all cells")
		return out
	}
	const few = 30
	for i := range s.cells {
		if c := &s.cells[i]; c.ok() < few && !c.Probe {
			lackOf(c.Requests, fmt.Sprintf("not enough data: %.0f successful requests", c.ok()),
				fmt.Sprintf("run long enough for at least %d", few), c.where())
		}
		for _, m := range missingOf(&s.cells[i]) {
			lackOf(s.cells[i].Requests, "not enough data: "+m, "record it, or analyse a run of loadgen", s.cells[i].where())
		}
	}
	switch {
	case len(s.loaded) == 0:
		lack("not enough data: no request tells both its first token and the time between tokens",
			"stream the replies and ask for more than one token", "all cells")
	case !s.compares():
		lack("not enough data: one level of load cannot tell waiting from working",
			"sweep concurrency from 1 until throughput stops growing", s.base().where())
	}
	if len(s.loaded) > 0 && !s.caches[0].Prefill.Seconds.Defined() {
		lack("not enough data: prompts of one length cannot tell the cost of a token",
			"vary prompt_input_tokens_mean or give it a deviation", s.base().where())
	}
	if s.untold() {
		lack("not enough data: prompts share a prefix, and nothing says whether a cache serves it",
			"have the server report cached tokens (vLLM: --enable-prompt-tokens-details)", "all cells prefix_cache")
	}
	return out
}

func missingOf(c *CellFacts) []string {
	if c.Trace == nil {
		return nil
	}
	return c.Trace.Missing
}
