package sweep

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"loadgen/metrics"
)

// A Gate holds the changes that loadgen compare fails on, in the words of
// [metrics.ParseChange].
type Gate []string

const gateExample = "write {time_to_first_token.p95: 5%}, or a list of rules such as [time_to_first_token.p95 > +5%]"

// bind reads a map of figures and the margins by which they may get worse, or
// a list of rules.
func (g *Gate) bind(b *binder, n *yaml.Node, path string) {
	seen := map[metrics.Figure]bool{}
	add := func(at *yaml.Node, path string, c metrics.Change, err error) {
		switch {
		case err != nil:
			b.fail(at, path, err.Error(), gateExample)
		case seen[c.Figure]:
			b.fail(at, path, c.Figure.String()+" stands twice", "one rule for each figure")
		default:
			seen[c.Figure] = true
			*g = append(*g, c.String())
		}
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			c, err := metrics.ParseChange(item.Value)
			add(item, fmt.Sprintf("%s[%d]", path, i), c, err)
		}
	case n.Kind == yaml.MappingNode:
		for key, value := range pairs(n) {
			at := join(path, key.Value)
			b.keys[at] = key
			c, err := margin(key.Value, value.Value)
			add(value, at, c, err)
		}
	case n.ShortTag() != "!!null":
		b.fail(n, path, "must be a map of figures and margins, not "+describe(n), gateExample)
	}
}

func (*Gate) shape(string) Shape {
	figure := figurePattern(append(tagsOf(func(metrics.Definition) bool { return true }), metrics.ErrorRate), metrics.FigureStatistics()) + `|` + metrics.Capacity + `(\.[^<>]+)?`
	share := `(` + decimal + `)\s*%`
	return Shape{
		Kind: Map, KeyPattern: `^\s*(` + figure + `)\s*$`, Item: &Shape{Kind: Text, Pattern: `^\s*\+?` + share + `\s*$`},
		Or: &Shape{Kind: List, Item: &Shape{Kind: Text, Pattern: `^\s*(` + figure + `)\s*(>=?\s*\+?|<=?\s*-)` + share + `\s*$`}},
	}
}

// checkGate reports rules that no run of the batch has a figure for: of a search the
// capacity is compared, of other runs what they measured.
func (b *binder) checkGate(batch *Batch) {
	for _, rule := range batch.Gate {
		c, err := metrics.ParseChange(rule)
		if err != nil {
			continue // told where it stands
		}
		f := c.Figure
		switch tier := func(t Tier) bool { return t.Name == f.Stat }; {
		case f.Tag == metrics.Capacity && !batch.Search.Asked():
			b.failKey("gate", f.String()+" is the answer of a search, and there is none", "gate a figure of the runs, such as time_to_first_token.p95: 5%")
		case f.Tag != metrics.Capacity && batch.Search.Asked():
			b.failKey("gate", f.String()+" cannot be gated in a search: its runs are at loads of its own choice, and end when their answer is sure", "write {capacity: 5%}")
		case f.Tag == metrics.Capacity && f.Stat != "" && !slices.ContainsFunc(batch.Search.AllTiers(), tier):
			b.failKey("gate", f.Stat+" is no tier of the search", "write {capacity: 5%} for all of them")
		}
	}
}

// margin is a change for the worse.
func margin(figure, by string) (metrics.Change, error) {
	f, err := metrics.ParseFigure(figure)
	if err != nil {
		return metrics.Change{}, err
	}
	share, err := metrics.ParsePercent(by)
	if err != nil {
		return metrics.Change{}, err
	}
	if share <= 0 {
		return metrics.Change{}, fmt.Errorf("the margin by which it may get worse must be above 0%%, not %s", by)
	}
	return metrics.ParseChange(metrics.WorseBy(f, share).String())
}
