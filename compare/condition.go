package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"loadgen/metrics"
	"loadgen/stats"
)

// A ConditionKind names what weakens a comparison.
type ConditionKind string

// The kinds of conditions.
const (
	ConditionApart     ConditionKind = "sides_apart"
	ConditionInTurn    ConditionKind = "not_interleaved"
	ConditionHosts     ConditionKind = "hosts_differ"
	ConditionTools     ConditionKind = "tools_differ"
	ConditionTokens    ConditionKind = "token_counts_differ"
	ConditionDrift     ConditionKind = "drift"
	ConditionBlocks    ConditionKind = "repeats_in_blocks"
	ConditionDegraded  ConditionKind = "degraded_runs"
	ConditionOneRun    ConditionKind = "one_run_a_side"
	ConditionUnordered ConditionKind = "times_unknown"
)

// A Condition is a reason to trust a comparison less.
type Condition struct {
	Kind ConditionKind `json:"kind"`
	Text string        `json:"text"`
}

func (c *Comparison) weaken(kind ConditionKind, format string, args ...any) {
	c.Conditions = append(c.Conditions, Condition{kind, fmt.Sprintf(format, args...)})
}

// apart is from when on two sides count as measured in different sessions.
const apart = time.Hour

// doubt looks for what the statistics do not see, and takes verdicts back
// where it makes them worthless.
func (c *Comparison) doubt(pairs []cellPair, b, n CompareSide) {
	c.doubtSettings()
	c.doubtTimes(pairs, b, n)
	c.doubtDrift(pairs)
	c.doubtRuns(b, n)
	single := func(r Compared) bool { return min(r.BaseRuns, r.NewRuns) == 1 }
	if slices.ContainsFunc(c.Results, func(r Compared) bool { return single(r) && r.Figure.Tag != metrics.Capacity }) {
		c.weaken(ConditionOneRun, "a side has one run of a cell: %s", c.noiseFrom())
	}
	if slices.ContainsFunc(c.Results, func(r Compared) bool { return single(r) && r.Figure.Tag == metrics.Capacity && r.History < 2 }) {
		c.weaken(ConditionOneRun, "a side has one search: its own interval says how far it is off, and not how much one night differs from the next")
	}
}

func (c *Comparison) noiseFrom() string {
	if slices.ContainsFunc(c.Results, func(r Compared) bool { return r.History > 0 }) {
		return "the noise is that of earlier nights, and only a large change can be told"
	}
	return "only a large change can be told, and none where the other side has one run too"
}

// doubtSettings looks at the settings that measure rather than are measured.
func (c *Comparison) doubtSettings() {
	var hosts []string
	for _, d := range c.Differences {
		switch {
		case strings.HasPrefix(d.Key, "host."):
			hosts = append(hosts, strings.TrimPrefix(d.Key, "host."))
		case d.Key == settingTool:
			c.weaken(ConditionTools, "%s measured BASE, %s measured NEW: tools stamp and count differently, so part of a change may be theirs", d.Base, d.New)
		case d.Key == settingTokens:
			c.weaken(ConditionTokens, "tokens were counted by %s in BASE and by %s in NEW: figures per token do not compare", d.Base, d.New)
			c.takeBack("tokens were counted differently on either side", perToken)
		}
	}
	if len(hosts) > 0 {
		c.weaken(ConditionHosts, "the load came from different machines (%s): a change may be the client's", strings.Join(hosts, ", "))
	}
}

// Settings with a meaning of their own.
const (
	settingTool   = "tool"
	settingTokens = "tokens counted by"
)

// SettingTool and SettingTokens name what measured and what counted tokens in
// the settings of a run.
const (
	SettingTool   = settingTool
	SettingTokens = settingTokens
	// SettingLabel is what the user calls what is tested.
	SettingLabel = "label"
)

// perToken reports whether a figure depends on how tokens are counted.
func perToken(r *Compared) bool {
	return !strings.HasPrefix(r.Figure.Tag, "time_to_") && (strings.Contains(r.Figure.Tag, "token") || strings.Contains(r.Figure.Tag, "sequence_length"))
}

// takeBack turns sure verdicts into cannot tell.
func (c *Comparison) takeBack(why string, of func(*Compared) bool) {
	for i := range c.Results {
		r := &c.Results[i]
		if r.Verdict != stats.CannotTell && of(r) {
			r.Reason = fmt.Sprintf("would be %s, but %s", r.Verdict, why)
			r.Verdict = stats.CannotTell
		}
	}
}

// doubtTimes looks at the order in which the sides ran.
func (c *Comparison) doubtTimes(pairs []cellPair, b, n CompareSide) {
	from, to, known := b.span()
	from2, to2, known2 := n.span()
	if !known || !known2 {
		c.weaken(ConditionUnordered, "not all runs say when they ran: whether the sides took turns is unknown")
		return
	}
	gap, first, second := from2.Sub(to), b.Name, n.Name
	if other := from.Sub(to2); other > gap {
		gap, first, second = other, n.Name, b.Name
	}
	const shift = "a shift of everything by 1 % between sessions raises the false alarms of a comparison of 20 cells from 3 to 26 %, one of 2 % to 93 %"
	switch {
	case gap >= apart:
		c.weaken(ConditionApart, "%s ran %s after %s: what else changed between the sessions counts as a change (%s)", second, roughly(gap), first, shift)
	case gap > -time.Second:
		c.weaken(ConditionInTurn, "all of %s ran before %s: a slow drift of the machine counts as a change; let the sides take turns", first, second)
	}
	for _, s := range []CompareSide{b, n} {
		if inBlocks(s) {
			c.weaken(ConditionBlocks, "the repeats of a cell of %s ran one after another: what lasts for minutes hits all of them; interleave the rounds", s.Name)
		}
	}
}

// roughly writes a span of time to two places that count.
func roughly(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// inBlocks reports whether most repeats follow a run of their own cell.
func inBlocks(s CompareSide) bool {
	cells := len(cellsOf(s))
	repeats := len(s.Runs) - cells
	if cells < 2 || repeats < 2 {
		return false
	}
	follow := 0
	for i := 1; i < len(s.Runs); i++ {
		if CellKey(s.Runs[i].Cell) == CellKey(s.Runs[i-1].Cell) {
			follow++
		}
	}
	return 2*follow > repeats
}

func (c *Comparison) doubtRuns(b, n CompareSide) {
	for _, s := range []CompareSide{b, n} {
		degraded := 0
		for _, r := range s.Runs {
			if r.Validity.Verdict == metrics.Degraded {
				degraded++
			}
		}
		if degraded > 0 {
			c.weaken(ConditionDegraded, "%d of %d runs of %s are DEGRADED: read them with their reasons", degraded, len(s.Runs), s.Name)
		}
	}
}

// doubtDrift takes back changes that are no larger than what the runs of one
// side make by themselves, where these follow one another.
func (c *Comparison) doubtDrift(pairs []cellPair) {
	var figuresOf []metrics.Figure
	for _, r := range c.Results {
		if !slices.Contains(figuresOf, r.Figure) && r.Figure.Tag != metrics.ErrorRate {
			figuresOf = append(figuresOf, r.Figure)
		}
	}
	p := driftP(pairs, figuresOf)
	if p >= driftLevel {
		return
	}
	c.weaken(ConditionDrift, "successive runs of a side are closer to each other than chance allows (p = %.3f): something drifts. Repeats then tell less than they seem to: only a change beyond the margin and what one side spans by itself counts", p)
	c.takeBack("no further than one side drifts by itself", func(r *Compared) bool {
		i := slices.IndexFunc(pairs, func(p cellPair) bool { return p.key == r.Cell })
		if r.Paired || r.Verdict == stats.NoDifference || r.Figure.Tag == metrics.ErrorRate {
			return false
		}
		reach := max(logRange(figures(pairs[i].base, r.Figure)), logRange(figures(pairs[i].fresh, r.Figure)))
		return math.Abs(r.shift) < math.Log1p(r.Margin)+reach
	})
}

// logRange is the logarithm of the greatest over the least.
func logRange(values []float64) float64 {
	v := withLog(values)
	if len(v) == 0 {
		return 0
	}
	return math.Log(slices.Max(v) / slices.Min(v))
}
