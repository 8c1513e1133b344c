package sweep

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen/metrics"
)

// A Certify says whether the percentiles of a run are certified, and by which
// rule.
type Certify struct {
	On   bool
	Rule metrics.CertifyRule
}

// bind reads true, false or the name of a rule.
func (c *Certify) bind(b *binder, n *yaml.Node, path string) {
	read := lax(n, reflect.TypeFor[bool]())
	switch rule := metrics.CertifyRule(n.Value); {
	case read.ShortTag() == "!!bool":
		c.On = strings.EqualFold(read.Value, "true")
	case n.ShortTag() == "!!str" && slices.Contains(metrics.CertifyRules(), rule):
		c.On, c.Rule = true, rule
	case n.Value == "mlperf_offline":
		b.fail(n, path, "MLPerf's Offline scenario has no limit to certify: its result is a throughput", "one of true, "+ruleNames())
	default:
		b.fail(n, path, "must be true, false or a rule of MLPerf's, not "+describe(n), "one of true, "+ruleNames())
	}
}

func ruleNames() string { return strings.Join(ruleWords(), ", ") }

func ruleWords() []string {
	var words []string
	for _, r := range metrics.CertifyRules() {
		words = append(words, string(r))
	}
	return words
}

func (*Certify) shape(string) Shape {
	return Shape{Kind: Boolean, Words: ruleWords()}
}

// parameter returns what the batch file would hold.
func (c Certify) parameter() any {
	if c.Rule != metrics.ByOrder {
		return string(c.Rule)
	}
	return c.On
}
