package page

import (
	"fmt"
	"strings"

	"loadgen/analyze"
	"loadgen/stats"
)

// A Comparison is what a page shows of comparison.json.
type Comparison struct {
	Verdict string `json:"verdict"`
	Base    struct {
		Paths []string `json:"paths"`
	} `json:"base"`
	Results []Compared `json:"results"`
}

// A Compared is a figure of a cell on both sides.
type Compared struct {
	Cell    string         `json:"cell"`
	Metric  string         `json:"metric"`
	Unit    string         `json:"unit"`
	Base    analyze.Number `json:"base_mean"`
	New     analyze.Number `json:"new_mean"`
	Ratio   analyze.Number `json:"ratio"`
	Lower   analyze.Number `json:"lower"`
	Upper   analyze.Number `json:"upper"`
	Verdict string         `json:"verdict"`
	Reason  string         `json:"reason"`

	BaseBound string `json:"base_bound"` // at least, or below
	NewBound  string `json:"new_bound"`
}

// Change is the ratio as a signed percentage with its interval.
func (c *Compared) Change() string {
	if !c.Ratio.Defined() {
		return "not known"
	}
	percent := func(r analyze.Number) string { return fmt.Sprintf("%+.1f %%", 100*(float64(r)-1)) }
	if !c.Lower.Defined() || !c.Upper.Defined() {
		return percent(c.Ratio)
	}
	return fmt.Sprintf("%s (%s to %s)", percent(c.Ratio), percent(c.Lower), percent(c.Upper))
}

// Means are those of both sides.
func (c *Compared) Means() string {
	side := func(bound string, v analyze.Number) string {
		return strings.TrimSpace(bound + " " + number(float64(v)))
	}
	return side(c.BaseBound, c.Base) + " → " + side(c.NewBound, c.New) + " " + c.Unit
}

// answer says whether the batch is worse than its baseline, and by what.
func (c *Comparison) answer() answer {
	base := cut(strings.Join(c.Base.Paths, ", "), 200)
	var changed []string
	for i := range c.Results {
		if r := &c.Results[i]; r.Verdict == c.Verdict && len(changed) < 3 {
			where := ""
			if r.Cell != "" {
				where = " at " + r.Cell
			}
			changed = append(changed, r.Metric+where+" "+r.Change())
		}
	}
	text := ": " + strings.Join(changed, ", ")
	if len(changed) == 0 {
		text = ""
	}
	switch stats.Verdict(c.Verdict) {
	case stats.Worse:
		return answer{"bad", "Worse than the baseline " + base + text + "."}
	case stats.Better:
		return answer{"good", "Better than the baseline " + base + text + "."}
	case stats.NoDifference:
		return answer{"good", "No difference from the baseline " + base + " that matters."}
	}
	return answer{"doubtful", "The runs cannot tell whether they are worse than the baseline " + base + "."}
}
