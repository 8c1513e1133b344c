package sweep

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen/metrics"
)

// A StopRule says when a run was so bad that the cells which load the endpoint
// more need not be tried: a figure beyond a limit, or invalid measurements one
// after another.
type StopRule struct {
	Text    string  // as it was written
	Metric  string  // a metric's tag, perhaps with a statistic: time_to_first_token.p95
	Above   bool    // the figure is too large; else too small
	Limit   float64 // in the metric's unit
	Invalid int     // so many INVALID runs one after another; Metric is empty then
}

// StopRules are the conditions of stop_when: one of them is enough.
type StopRules []StopRule

const stopRuleExample = "write METRIC > NUMBER, such as time_to_first_token.p95 > 30000 or request_error_rate > 50 (per cent), or INVALID x 2"

func (s *StopRules) bind(b *binder, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for i, item := range items {
		at := path
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if item.Kind != yaml.ScalarNode {
			b.fail(item, at, "must be a condition, not "+describe(item), stopRuleExample)
			continue
		}
		rule, problem, hint := parseStopRule(item.Value)
		if problem != "" {
			b.fail(item, at, problem, hint)
			continue
		}
		*s = append(*s, rule)
	}
}

func (*StopRules) shape(string) Shape {
	rule := Shape{Kind: Text, Pattern: `^\s*([Ii][Nn][Vv][Aa][Ll][Ii][Dd]\s+x\s+\+?0*[1-9][0-9]*|(` + budgetPattern() + `)\s+[<>]\s+[-+]?(` + decimal + `))\s*$`}
	list := Shape{Kind: List, Item: &rule}
	s := rule
	s.Or = &list
	return s
}

// parseStopRule reads a condition; problem says what is wrong with it, and hint
// what to write.
func parseStopRule(text string) (rule StopRule, problem, hint string) {
	none := fmt.Sprintf("%q is no condition", text)
	rule.Text = strings.Join(strings.Fields(text), " ")
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return rule, none, stopRuleExample
	}
	if strings.EqualFold(fields[0], string(metrics.Invalid)) {
		n, err := strconv.Atoi(fields[2])
		if fields[1] != "x" || err != nil || n < 1 {
			return rule, none, stopRuleExample
		}
		rule.Invalid = n
		return rule, "", ""
	}
	limit, err := strconv.ParseFloat(fields[2], 64)
	if err != nil || fields[1] != ">" && fields[1] != "<" {
		return rule, none, stopRuleExample
	}
	if !isBudget(fields[0]) {
		message, hint := explainBudget(fields[0])
		return rule, fields[0] + " " + message, hint
	}
	rule.Metric, rule.Above, rule.Limit = fields[0], fields[1] == ">", limit
	return rule, "", ""
}

// met reports whether a run meets a rule about its figures.
func (s StopRule) met(run *Run) bool {
	if s.Invalid > 0 || run.Summary == nil {
		return false
	}
	value, _, ok := figure(run.Summary, s.Metric)
	if !ok {
		return false
	}
	if s.Above {
		return value > s.Limit
	}
	return value < s.Limit
}

// loadKeys are the keys whose larger values load the endpoint more.
var loadKeys = []string{"concurrency", "request_rate", "num_users", "user_request_rate"}

// heavier reports whether a cell differs from another in its load alone, and
// loads the endpoint more: none of the values that say how much is smaller.
func heavier(cell, than *Cell) bool {
	more := false
	for i, v := range cell.Values {
		other := than.Values[i].Value
		if v.Value == other {
			continue
		}
		a, number := asNumber(v.Value)
		b, numbers := asNumber(other)
		if !isLoad(v.Key) || !number || !numbers || a < b {
			return false
		}
		more = true
	}
	return more
}

func isLoad(key string) bool {
	for _, k := range loadKeys {
		if k == key {
			return true
		}
	}
	return false
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// hopeless passes on what another planner asks for, but for the runs that can
// only be worse than one that was bad enough.
type hopeless struct {
	Planner
	rules []StopRule
}

func (h hopeless) Next(done []*Run) (Ask, bool) {
	ask, ok := h.Planner.Next(done)
	if ok && ask.Skip == "" {
		ask.Skip = h.reason(ask.Cell, done)
	}
	return ask, ok
}

// Left counts the runs that may still turn out to be hopeless.
func (h hopeless) Left(done []*Run) (int, bool) {
	left, _ := h.Planner.Left(done)
	return left, left == 0
}

// reason says why a cell need not be tried, empty where it may be worth it.
func (h hopeless) reason(cell *Cell, done []*Run) string {
	for _, run := range done {
		if run.Skip != "" || run.Outcome.Cancelled || !heavier(cell, run.Cell) {
			continue
		}
		for _, rule := range h.rules {
			if rule.met(run) {
				return fmt.Sprintf("stop_when: %s was met at %s, and this cell loads the endpoint more", rule.Text, pairNames(run.Cell.Values))
			}
			if rule.Invalid > 0 && invalidInARow(cell, done) >= rule.Invalid {
				return fmt.Sprintf("stop_when: %s: the cells below this one were", rule.Text)
			}
		}
	}
	return ""
}

// invalidInARow counts the cells just below one, by load, whose last run was
// INVALID: from the heaviest downward until one was not.
func invalidInARow(cell *Cell, done []*Run) int {
	last := map[int]*Run{}
	var below []*Cell
	for _, run := range done {
		if run.Skip != "" || run.Outcome.Cancelled || run.Summary == nil || !heavier(cell, run.Cell) {
			continue
		}
		if last[run.Cell.Index] == nil {
			below = append(below, run.Cell)
		}
		last[run.Cell.Index] = run
	}
	n := 0
	for len(below) > 0 {
		top := 0
		for i := range below {
			if heavier(below[i], below[top]) {
				top = i
			}
		}
		if last[below[top].Index].Summary.Validity.Verdict != metrics.Invalid {
			return n
		}
		n++
		below = append(below[:top], below[top+1:]...)
	}
	return n
}
