package sweep

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen"
)

// Sweeps are the keys to vary, in the file's order.
type Sweeps []Sweep

// A Sweep is one key below base_config with the values it takes: ints,
// floats, strings or bools.
type Sweep struct {
	Key    string
	Values []any

	segments []string
	key      *yaml.Node
	nodes    []*yaml.Node
}

// bind reads a mapping of lists.
func (s *Sweeps) bind(b *binder, n *yaml.Node, path string) {
	if !b.isMapping(n, path) {
		return
	}
	for key, values := range pairs(n) {
		at := join(path, key.Value)
		b.keys[at], b.values[at] = key, values
		segments, leaf := splitKey(reflect.TypeFor[Config](), key.Value)
		switch {
		case leaf == nil:
			b.fail(key, at, "cannot be swept: base_config has no such key", unknownSweep(key.Value))
		case segments[0] == "headers":
			b.fail(key, at, "cannot be swept: its values would appear in directory names", "write one batch file for each")
		case leaf.Kind() == reflect.Struct && !reflect.PointerTo(leaf).Implements(reflect.TypeFor[nodeBinder]()), leaf.Kind() == reflect.Map:
			b.fail(key, at, "cannot be swept as a whole", fmt.Sprintf("sweep one key in it: %s.KEY", key.Value))
		default:
			sweep := b.sweep(key, values, leaf, at)
			if len(sweep.Values) == 0 {
				b.unswept[base(key.Value)] = true
				continue
			}
			sweep.segments = segments
			*s = append(*s, sweep)
		}
	}
}

// misspelt notes, before anything is judged, the keys of base_config that the
// sweeps of a file do not name but probably mean.
func (f *file) misspelt(sweeps *yaml.Node) {
	if sweeps == nil || sweeps.ShortTag() == "!!null" {
		return
	}
	if f.anyKey = sweeps.Kind != yaml.MappingNode; f.anyKey {
		return
	}
	for key := range pairs(sweeps) {
		if _, leaf := splitKey(reflect.TypeFor[Config](), key.Value); leaf != nil {
			continue
		}
		if like := nearest(key.Value, Keys()); like != "" {
			f.unswept[base(like)] = true
		} else {
			f.anyKey = true
		}
	}
}

func unknownSweep(key string) string {
	keys := keysOf(reflect.TypeFor[Config]())
	if hint := suggest(key, keys); hint != "" {
		return hint
	}
	return "valid keys: " + wrapList(keys)
}

// sweep reads one list, whose values are of a type.
func (b *binder) sweep(key, list *yaml.Node, leaf reflect.Type, path string) Sweep {
	sweep := Sweep{Key: key.Value, key: key}
	switch {
	case list.Kind != yaml.SequenceNode:
		hint := ""
		if list.Kind == yaml.ScalarNode && list.Value != "" {
			hint = fmt.Sprintf("write [%s]", b.clean(list.Value))
		}
		b.fail(list, path, "must be a list of values, not "+describe(list), hint)
		return sweep
	case len(list.Content) == 0:
		b.fail(list, path, "is an empty list", "give at least one value, or remove the key")
		return sweep
	}
	first := map[string]*yaml.Node{}
	for _, written := range list.Content {
		item := lax(written, leaf)
		value := plain(item)
		switch value.(type) {
		case int, float64, string, bool:
		default:
			b.fail(written, path, "a value must be a number, a text, true or false, not "+describe(item), "")
			continue
		}
		id := identity(value)
		if before := first[id]; before != nil {
			b.fail(written, path, fmt.Sprintf("%s is in the list twice", written.Value),
				fmt.Sprintf("first written as %s in line %d: remove one", before.Value, before.Line))
			continue
		}
		if s, ok := value.(string); ok && isSecret(key.Value, s) {
			b.fail(item, path, "cannot be swept: its secret would appear in directory names", "write one batch file for each")
			continue
		}
		first[id] = written
		sweep.Values = append(sweep.Values, value)
		sweep.nodes = append(sweep.nodes, item)
		b.sweepOf[item], b.origin[item] = path, b.origin[written]
	}
	return sweep
}

// identity is the same for values that would make the same cell: 1 and 1.0.
func identity(value any) string {
	if x, ok := value.(float64); ok && x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		value = int(x)
	}
	return fmt.Sprintf("%T %v", value, value)
}

// combinations returns how many cells the sweeps make, at least 1; it stops
// counting at a billion.
func (s Sweeps) combinations() int {
	total := 1
	for _, sweep := range s {
		if total *= len(sweep.Values); total > 1e9 {
			return 1e9
		}
	}
	return total
}

// has reports whether a key is swept.
func (s Sweeps) has(key string) bool {
	for _, sweep := range s {
		if sweep.Key == key {
			return true
		}
	}
	return false
}

// at returns the position of each sweep in its list for the i-th cell: the
// first key varies slowest.
func (s Sweeps) at(i int) []int {
	positions := make([]int, len(s))
	for k := len(s) - 1; k >= 0; k-- {
		n := len(s[k].Values)
		positions[k] = i % n
		i /= n
	}
	return positions
}

// values returns what the sweeps take at the positions.
func (s Sweeps) values(positions []int) []loadgen.Value {
	values := make([]loadgen.Value, len(s))
	for k, p := range positions {
		values[k] = loadgen.Value{Key: s[k].Key, Value: s[k].Values[p]}
	}
	return values
}

// String lists the sweeps as the runner that loadgen replaces did:
// {'concurrency': [1, 2, 4]}, or None.
func (s Sweeps) String() string {
	if len(s) == 0 {
		return "None"
	}
	parts := make([]string, len(s))
	for i, sweep := range s {
		values := make([]string, len(sweep.Values))
		for j, v := range sweep.Values {
			values[j] = quoted(v)
		}
		parts[i] = fmt.Sprintf("'%s': [%s]", sweep.Key, strings.Join(values, ", "))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Literal lists the values of a cell likewise: {'concurrency': 1}.
func Literal(values []loadgen.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprintf("'%s': %s", v.Key, quoted(v.Value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// quoted writes a value as Python does.
func quoted(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", `\'`) + "'"
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return text(v)
}

func (*Sweeps) shape(string) Shape {
	return Shape{Kind: Map, Item: &Shape{Kind: List, Item: &Shape{Kind: Free}}}
}
