package results

import (
	"math"
	"strings"

	"loadgen/metrics"
)

// The parts of AIPerf's search_history.json. What loadgen does not do is there
// with AIPerf's default, so that its readers find every key.
type (
	history struct {
		Config   historyConfig      `json:"config"`
		Trials   []historyIteration `json:"iterations"`
		Best     []historyBest      `json:"best_trials"`
		Boundary historyBoundary    `json:"boundary_summary"`
		Recipe   *string            `json:"recipe"`
		Reason   *string            `json:"convergence_reason"`
		Tiers    []historyTier      `json:"tier_results,omitempty"`
	}
	historyConfig struct {
		Planner       string                     `json:"planner"`
		Objectives    []historyObjective         `json:"objectives"`
		Constraints   []any                      `json:"outcome_constraints"`
		MaxIterations int                        `json:"max_iterations"`
		Initial       int                        `json:"n_initial_points"`
		Seed          *int                       `json:"random_seed"`
		Patience      int                        `json:"improvement_patience"`
		Window        int                        `json:"plateau_window"`
		Threshold     float64                    `json:"plateau_threshold"`
		Space         []historySpace             `json:"search_space"`
		Filters       []historyFilter            `json:"sla_filters"`
		Tiers         map[string][]historyFilter `json:"tiers,omitempty"`
	}
	historyObjective struct {
		Metric    string   `json:"metric"`
		Stat      string   `json:"stat"`
		Direction string   `json:"direction"`
		Threshold *float64 `json:"threshold"`
	}
	historySpace struct {
		Path string   `json:"path"`
		Low  float64  `json:"lo"`
		High *float64 `json:"hi"`
		Kind string   `json:"kind"`
	}
	historyFilter struct {
		Tag       string  `json:"metric_tag"`
		Stat      string  `json:"stat"`
		Op        string  `json:"op"`
		Threshold float64 `json:"threshold"`
	}
	historyIteration struct {
		Index        int                `json:"iteration_idx"`
		Values       map[string]float64 `json:"variation_values"`
		Objective    []*float64         `json:"objective_values"`
		Feasible     bool               `json:"feasible"`
		NonMonotonic bool               `json:"non_monotonic_warning"`
	}
	historyBest struct {
		Index     int                `json:"iteration_idx"`
		Objective []*float64         `json:"objective_values"`
		Values    map[string]float64 `json:"variation_values"`
		Feasible  bool               `json:"feasible"`
		Count     int                `json:"feasible_count"`
		Rank      int                `json:"pareto_rank"`
	}
	historyBoundary struct {
		Path       string        `json:"swept_dim_path"`
		Feasible   *historyPoint `json:"feasible_max"`
		Infeasible *historyPoint `json:"infeasible_min"`
		Binding    *string       `json:"binding_constraint,omitempty"`
	}
	historyPoint struct {
		Value     float64        `json:"value"`
		Index     int            `json:"iteration_idx"`
		Objective *float64       `json:"objective_value,omitempty"`
		Breach    *historyBreach `json:"first_breach,omitempty"`
	}
	historyBreach struct {
		historyFilter
		Observed float64 `json:"observed"`
	}
	historyTier struct {
		Label    string          `json:"label"`
		Boundary metrics.Bound   `json:"boundary_concurrency"`
		Status   string          `json:"convergence_status"`
		Reason   string          `json:"convergence_reason"`
		Binding  *string         `json:"binding_constraint"`
		Low      metrics.Bound   `json:"bracket_lower"`
		High     metrics.Bound   `json:"bracket_upper"`
		Interval []metrics.Bound `json:"confidence_interval"`
		Probes   int             `json:"probe_count"`
		Filters  []historyFilter `json:"filters"`
	}
)

// searchHistory is a search as AIPerf's planners write theirs: an iteration for
// every probe that is a vote. Feasible is what keeps the limits of the first
// tier.
func searchHistory(c *Capacity) *history {
	path, phase := map[string]string{
		"concurrency": "phases.profiling.concurrency", "request_rate": "phases.profiling.rate", "num_users": "phases.profiling.users",
	}[c.Over]
	if !phase {
		path = c.Over // AIPerf searches nothing of the kind
	}
	h := &history{
		Config: historyConfig{
			Planner:       "smooth_isotonic",
			Objectives:    []historyObjective{{"output_token_throughput", "avg", "MAXIMIZE", nil}},
			Constraints:   []any{},
			MaxIterations: len(c.Probes), Initial: 1, Patience: 10, Window: 8, Threshold: 0.01,
			Space:   []historySpace{{path, c.From, above(c.To), map[bool]string{true: "int", false: "real"}[c.Whole]}},
			Filters: []historyFilter{},
		},
		Trials: []historyIteration{}, Best: []historyBest{}, Boundary: historyBoundary{Path: path},
	}
	reason := historyReason(c)
	h.Reason = &reason
	if len(c.Tiers) == 0 {
		return h
	}
	first := &c.Tiers[0]
	h.Config.Filters = historyFilters(first.Limits)
	lowestFail, feasible := math.Inf(1), 0
	for i := range c.Probes {
		p := &c.Probes[i]
		if p.Void != "" {
			continue
		}
		worst, broken := metrics.Broken(p.Margins, first.Limits)
		it := historyIteration{
			Index: len(h.Trials), Values: map[string]float64{path: p.Load}, Objective: []*float64{p.Tokens},
			Feasible: !broken, NonMonotonic: !broken && p.Load > lowestFail,
		}
		h.Trials = append(h.Trials, it)
		at := &historyPoint{Value: p.Load, Index: it.Index}
		// One of several runs at a load may say otherwise than the answer of all.
		other := first.Status == "found" && broken == (p.Load <= float64(first.Capacity))
		switch best := &h.Boundary; {
		case other:
		case broken:
			lowestFail = min(lowestFail, p.Load)
			if best.Infeasible == nil || p.Load < best.Infeasible.Value {
				at.Breach = &historyBreach{historyFilterOf(worst.Limit), worst.Observed}
				best.Infeasible = at
			}
		default:
			feasible++
			if best.Feasible == nil || p.Load > best.Feasible.Value {
				at.Objective = p.Tokens
				best.Feasible = at
			}
		}
	}
	if f := h.Boundary.Feasible; f != nil {
		h.Best = append(h.Best, historyBest{f.Index, []*float64{f.Objective}, map[string]float64{path: f.Value}, true, feasible, 0})
	}
	h.Boundary.Binding = bindingText(first)
	if len(c.Tiers) > 1 || first.Name != "" {
		h.Config.Tiers = map[string][]historyFilter{}
		for i := range c.Tiers {
			t := &c.Tiers[i]
			h.Config.Tiers[t.Name] = historyFilters(t.Limits)
			h.Tiers = append(h.Tiers, historyTier{
				Label: t.Name, Boundary: t.Capacity, Status: historyStatus(t.Status), Reason: reason, Binding: bindingText(t),
				Low: t.PassedAt, High: t.FailedAt, Interval: []metrics.Bound{t.Lower, t.Upper}, Probes: len(h.Trials), Filters: historyFilters(t.Limits),
			})
		}
	}
	return h
}

func above(to float64) *float64 {
	if to == 0 {
		return nil
	}
	return &to
}

func bindingText(t *CapacityTier) *string {
	if t.Binding == nil {
		return nil
	}
	f := historyFilterOf(*t.Binding)
	text := f.Tag + ":" + f.Stat
	return &text
}

// historyReason is why a search ended, in AIPerf's words where it has one.
func historyReason(c *Capacity) string {
	switch c.Stopped {
	case "resolution":
		return "smooth_isotonic_precision_reached"
	case "no_fail":
		return "smooth_isotonic_no_failure_in_range"
	case "no_pass":
		return "smooth_isotonic_no_pass_in_range"
	case "max_probes":
		return "max_iterations"
	case "interrupted":
		return "cancelled"
	}
	return c.Stopped
}

func historyStatus(status string) string {
	switch status {
	case "found":
		return "converged"
	case "no_fail":
		return "no_failure_in_range"
	case "no_pass":
		return "no_pass_in_range"
	}
	return "partial"
}

func historyFilters(limits []metrics.Limit) []historyFilter {
	filters := []historyFilter{}
	for _, l := range limits {
		filters = append(filters, historyFilterOf(l))
	}
	return filters
}

// historyFilterOf is a limit as AIPerf writes it; its error rate is in percent.
func historyFilterOf(l metrics.Limit) historyFilter {
	f := historyFilter{Op: "le", Threshold: l.Bound, Stat: "avg"}
	if l.AtLeast() {
		f.Op = "ge"
	}
	switch l.Name {
	case metrics.ErrorRate:
		f.Tag, f.Threshold = "request_error_rate", 100*l.Bound
	case metrics.GoodShare:
		f.Tag = "good_request_fraction"
	default:
		f.Tag, f.Stat, _ = strings.Cut(l.Name, ".")
	}
	return f
}
