package sweep

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// numeral matches a number that was put in quotes.
var numeral = regexp.MustCompile(`^[+-]?[0-9][0-9_]*(\.[0-9]*)?([eE][+-]?[0-9]+)?$`)

// lax returns a scalar as the type of its key wants it, where what was written
// can mean nothing else: "8" and 8.0 for 8, yes and 1 for true. The runner that
// loadgen replaces reads its files so. Anything else comes back as it is, and
// so does a number for a text: 017 and "017" are two model names.
func lax(n *yaml.Node, t reflect.Type) *yaml.Node {
	if n.Kind != yaml.ScalarNode {
		return n
	}
	switch kind := t.Kind(); {
	case kind == reflect.Bool:
		return laxBool(n)
	case t == reflect.TypeFor[time.Duration](), t == reflect.TypeFor[Rate](), t == reflect.TypeFor[Limit](), kind == reflect.Float64:
		return unquoted(n)
	case kind == reflect.Int, kind == reflect.Int64, kind == reflect.Uint64:
		return whole(unquoted(n))
	}
	return n
}

func laxBool(n *yaml.Node) *yaml.Node {
	if tag := n.ShortTag(); tag != "!!str" && tag != "!!int" {
		return n
	}
	switch strings.ToLower(strings.TrimSpace(n.Value)) {
	case "true", "yes", "on", "y", "t", "1":
		return scalar(n, "!!bool", "true")
	case "false", "no", "off", "n", "f", "0":
		return scalar(n, "!!bool", "false")
	}
	return n
}

// unquoted makes a number of a text that is one.
func unquoted(n *yaml.Node) *yaml.Node {
	text := strings.TrimSpace(n.Value)
	if n.ShortTag() != "!!str" || !numeral.MatchString(text) {
		return n
	}
	text = strings.ReplaceAll(text, "_", "")
	if strings.ContainsAny(text, ".eE") {
		return scalar(n, "!!float", text)
	}
	return scalar(n, "!!int", text)
}

// whole makes an integer of a float without a fraction.
func whole(n *yaml.Node) *yaml.Node {
	x, ok := number(n)
	if n.ShortTag() != "!!float" || !ok || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return n
	}
	return scalar(n, "!!int", strconv.FormatFloat(x, 'f', -1, 64))
}

// scalar returns a node at the place of another with a value of its own.
func scalar(n *yaml.Node, tag, value string) *yaml.Node {
	changed := *n
	changed.Tag, changed.Value, changed.Style = tag, value, 0
	return &changed
}

// noteWords tells of words in extra_inputs that readers of an older YAML take for
// true and false. They are sent as they are written: no type says what is meant.
func (b *binder) noteWords(batch *Batch) {
	n := b.values[base("extra_inputs")]
	if n == nil {
		return
	}
	for _, at := range words(n, base("extra_inputs")) {
		batch.Notes = append(batch.Notes, fmt.Sprintf("%s is sent as the text %q; write %s for a boolean, or put it in quotes", at.path, at.node.Value, laxBool(at.node).Value))
	}
}

// A wordAt is a word and where it stands.
type wordAt struct {
	path string
	node *yaml.Node
}

// words returns the scalars below a node that are yes, no, on or off without
// quotes.
func words(n *yaml.Node, path string) (found []wordAt) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			found = append(found, words(n.Content[i+1], path+"."+n.Content[i].Value)...)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			found = append(found, words(item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case yaml.ScalarNode:
		switch strings.ToLower(n.Value) {
		case "yes", "no", "on", "off":
			if n.ShortTag() == "!!str" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0 {
				found = append(found, wordAt{path, n})
			}
		}
	}
	return found
}
