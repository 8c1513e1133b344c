package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// forecastFeatures are what is known at the end of a call.
var forecastFeatures = []string{
	"calls_so_far",
	"prompt_tokens",
	"completion_tokens",
	"cached_tokens",
	"duration",            // seconds
	"time_to_first_token", // seconds
	"gap_before",          // seconds since the call before ended
	"elapsed",             // seconds since the session began
	"mean_completion_tokens",
	"mean_gap",
	"prompt_growth", // tokens since the call before
}

// A forecastInput is the values of the features; 0 where the trace does not
// say.
type forecastInput [11]float64

// A forecastRow is the state of a session at the end of one call and what came
// after it; an outcome is -1 where there was none.
type forecastRow struct {
	input    forecastInput
	outcomes [4]float64 // in the order of forecastTargets
}

// A forecastQuantity is something to forecast: the outcome at a position.
type forecastQuantity struct {
	name, unit string
	outcome    int
}

var forecastTargets = []forecastQuantity{
	{"next_output_tokens", "tokens", 0},
	{"next_call_in", "seconds", 1},
	{"calls_left", "calls", 2},
	{"time_left", "seconds", 3},
}

// matrix returns the inputs and outcomes of all rows that have this outcome.
func (q forecastQuantity) matrix(sessions [][]forecastRow) (x []forecastInput, y []float64) {
	for _, rows := range sessions {
		for i := range rows {
			if v := rows[i].outcomes[q.outcome]; v >= 0 {
				x, y = append(x, rows[i].input), append(y, v)
			}
		}
	}
	return x, y
}

// forecastSessionsOf returns the rows of each session with a next call to
// forecast, in the order of the sessions' numbers.
func forecastSessionsOf(calls []loadgen.Call) [][]forecastRow {
	order := make([]*loadgen.Call, 0, len(calls))
	for i := range calls {
		order = append(order, &calls[i])
	}
	slices.SortStableFunc(order, func(a, b *loadgen.Call) int { return cmp.Compare(a.Example, b.Example) })
	var sessions [][]forecastRow
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].Example == order[0].Example {
			n++
		}
		session := make([]loadgen.Call, n)
		for i := range session {
			session[i] = *order[i]
		}
		if rows := forecastRowsOf(session); len(rows) > 1 {
			sessions = append(sessions, rows)
		}
		order = order[n:]
	}
	return sessions
}

// forecastRowsOf returns a row for each successful LLM call of one session, in
// order of start. The call after is the next one to start, even if it starts
// before this one has ended: it then comes at once.
func forecastRowsOf(session []loadgen.Call) []forecastRow {
	calls := slices.DeleteFunc(slices.Clone(session), func(c loadgen.Call) bool {
		return c.Kind != loadgen.LLMCall || c.Failed || !(c.Start >= 0 && c.End >= c.Start) || !kneeUsable(c.End)
	})
	slices.SortStableFunc(calls, func(a, b loadgen.Call) int { return cmp.Compare(a.Start, b.Start) })
	rows := make([]forecastRow, len(calls))
	end, tokens, gaps := 0.0, 0.0, 0.0
	for i := range calls {
		end = max(end, calls[i].End)
	}
	for i := range calls {
		c := &calls[i]
		gap, growth := 0.0, 0.0
		if i > 0 {
			gap = max(0, c.Start-calls[i-1].End)
			growth = known(c.PromptTokens) - known(calls[i-1].PromptTokens)
		}
		tokens, gaps = tokens+known(c.CompletionTokens), gaps+gap
		rows[i].input = forecastInput{
			float64(i + 1), known(c.PromptTokens), known(c.CompletionTokens), known(c.CachedTokens),
			c.End - c.Start, 0, gap, c.End - calls[0].Start,
			tokens / float64(i+1), gaps / float64(max(1, i)), growth,
		}
		if c.FirstToken >= c.Start && c.FirstToken <= c.End {
			rows[i].input[5] = c.FirstToken - c.Start
		}
		rows[i].outcomes = [4]float64{-1, -1, float64(len(calls) - 1 - i), max(0, end-c.End)}
		if i+1 < len(calls) {
			next := &calls[i+1]
			rows[i].outcomes[0] = float64(next.CompletionTokens)
			rows[i].outcomes[1] = max(0, next.Start-c.End)
		}
	}
	return rows
}

// known returns a count, 0 where the trace does not say.
func known(count int) float64 { return float64(max(0, count)) }
