package sweep

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A file is a batch file while it is being read: its text, the texts of the
// overrides, and what was found wrong.
type file struct {
	*source
	report *report
	salt   string // of the options
	// origin names the texts of nodes that do not come from the file itself.
	origin map[*yaml.Node]*source
	// sweepOf names the sweeps that nodes are values of, wherever they are bound.
	sweepOf map[*yaml.Node]string
	// asWritten holds the texts of nodes that held references, open the nodes that
	// hold one whose value is not known: they are not judged.
	asWritten map[*yaml.Node]string
	open      map[*yaml.Node]bool
	// empty holds the optional keys that were written without a value.
	empty map[string]bool
	// instead holds the paths that faulty keys were probably meant for; with
	// anyKey it may have been any.
	instead map[string]bool
	anyKey  bool
	// unswept holds the paths that sweeps with faults were to give values to.
	unswept map[string]bool
}

func newFile(src *source) *file {
	return &file{
		source: src, report: &report{}, origin: map[*yaml.Node]*source{}, sweepOf: map[*yaml.Node]string{},
		asWritten: map[*yaml.Node]string{}, open: map[*yaml.Node]bool{}, empty: map[string]bool{}, instead: map[string]bool{}, unswept: map[string]bool{},
	}
}

// meant reports whether a key that was not written has probably been, under
// another name or in a sweep with a fault: it has been told, and is not missed.
func (f *file) meant(path string) bool { return f.anyKey || f.instead[path] || f.unswept[path] }

// fault returns a fault at a node; without one, of the file as a whole.
func (f *file) fault(n *yaml.Node, path, message, hint string) *Fault {
	if n == nil {
		fault := f.whole(f.clean(message), f.clean(hint))
		fault.Key = f.clean(path)
		return fault
	}
	if sweep := f.sweepOf[n]; sweep != "" {
		path = sweep
	}
	src := f.source
	if from := f.origin[n]; from != nil {
		src = from
	}
	width := 1
	if n.Kind == yaml.ScalarNode {
		width = utf8.RuneCountInString(cmp.Or(f.asWritten[n], n.Value))
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			width += 2
		}
	}
	return src.fault(n.Line, n.Column, width, path, message, hint)
}

// expand returns a copy of a tree without aliases and merge keys, so that
// nothing behind it needs to know of them. It reports duplicate keys and keys
// that are not plain words. ok is false when the tree is too deep or grows too
// large, as that of an alias bomb does.
func (f *file) expand(n *yaml.Node) (tree *yaml.Node, ok bool) {
	budget := maxNodes
	return f.expandWithin(n, "", 0, &budget)
}

func (f *file) expandWithin(n *yaml.Node, path string, depth int, budget *int) (*yaml.Node, bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	*budget--
	if depth > maxDepth {
		f.report.add(f.fault(n, "", fmt.Sprintf("aliases nest deeper than %d levels", maxDepth), "does an alias contain itself?"))
		return nil, false
	}
	if *budget < 0 {
		f.report.add(f.fault(nil, "", fmt.Sprintf("holds more than %d values, aliases expanded", maxNodes), "repeat less"))
		return nil, false
	}
	copied := *n
	copied.Content = make([]*yaml.Node, 0, len(n.Content))
	if n.Kind == yaml.MappingNode {
		return &copied, f.expandMapping(n, &copied, path, depth, budget)
	}
	for _, item := range n.Content {
		item, ok := f.expandWithin(item, path, depth+1, budget)
		if !ok {
			return nil, false
		}
		copied.Content = append(copied.Content, item)
	}
	return &copied, true
}

// expandMapping fills a mapping: first the keys written in it, then those of
// the mappings that it merges, of which the earlier ones win.
func (f *file) expandMapping(n, into *yaml.Node, path string, depth int, budget *int) bool {
	first := map[string]*yaml.Node{}
	var merged []*yaml.Node
	for key, value := range pairs(n) {
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			f.report.add(f.fault(key, path, "a key must be a word, not "+describe(key), ""))
			continue
		}
		at := join(path, key.Value)
		if before := first[key.Value]; before != nil {
			f.report.add(f.fault(key, at, "is written twice", fmt.Sprintf("first written in line %d: remove one", before.Line)))
			continue
		}
		first[key.Value] = key
		value, ok := f.expandWithin(value, at, depth+1, budget)
		if !ok {
			return false
		}
		into.Content = append(into.Content, key, value)
	}
	for len(merged) > 0 {
		from, ok := f.expandWithin(merged[0], path, depth+1, budget)
		if !ok {
			return false
		}
		merged = merged[1:]
		if from.Kind == yaml.SequenceNode {
			merged = append(append([]*yaml.Node{}, from.Content...), merged...)
			continue
		}
		if from.Kind != yaml.MappingNode {
			f.report.add(f.fault(from, path, "<< must merge a map, not "+describe(from), ""))
			continue
		}
		for key, value := range pairs(from) {
			if first[key.Value] == nil {
				first[key.Value] = key
				into.Content = append(into.Content, key, value)
			}
		}
	}
	return true
}

// pairs yields the keys of a mapping with their values.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// count returns the number of nodes in a tree without aliases.
func count(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	total := 1
	for _, child := range n.Content {
		total += count(child)
	}
	return total
}

// lookup returns the value of a key, nil where it is not written.
func lookup(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for k, value := range pairs(n) {
		if k.Value == key {
			return value
		}
	}
	return nil
}

// with returns a mapping in which the value at the segments of a path is
// replaced or added; the mapping given is not changed. The key is shown in
// faults about it.
func with(n *yaml.Node, segments []string, key, value *yaml.Node) *yaml.Node {
	if len(segments) == 0 {
		return value
	}
	changed := yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: key.Line, Column: key.Column}
	if n != nil && n.Kind == yaml.MappingNode {
		changed = *n
		changed.Content = append([]*yaml.Node{}, n.Content...)
	}
	for i := 0; i+1 < len(changed.Content); i += 2 {
		if changed.Content[i].Value == segments[0] {
			changed.Content[i+1] = with(changed.Content[i+1], segments[1:], key, value)
			return &changed
		}
	}
	name := *key
	name.Value = segments[0]
	changed.Content = append(changed.Content, &name, with(nil, segments[1:], key, value))
	return &changed
}

// describe names a value as the user would: by its kind, and the value itself
// where it is short.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	value := n.Value
	if utf8.RuneCountInString(value) > 40 {
		value = string([]rune(value)[:40]) + "…"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!str":
		return "the text " + strconv.Quote(value)
	case "!!int", "!!float":
		return "the number " + value
	}
	return value
}

// plain returns the Go value of a node: map[string]any, []any, string, int,
// float64, bool or nil.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for key, value := range pairs(n) {
			m[key.Value] = plain(value)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = plain(item)
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, ok := integer(n); ok {
			return int(i)
		}
	case "!!float":
		if x, ok := number(n); ok {
			return x
		}
	}
	return n.Value
}
