package sweep

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// override returns the tree of a batch file with one value replaced, written
// as path=value with the value in YAML.
func (f *file) override(root *yaml.Node, flag, assignment string) *yaml.Node {
	path, text, found := splitOverride(assignment)
	src := newSource(flag, []byte(assignment))
	if found && isSecretOverride(path, text) {
		src.secrets = []string{text}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: path, Line: 1, Column: 1}
	f.origin[key] = src
	if !found || path == "" {
		f.report.add(f.fault(key, "", "must be KEY=VALUE", "such as base_config.concurrency=8"))
		return root
	}
	segments, leaf := splitKey(reflect.TypeFor[Batch](), path)
	if sweep, swept := strings.CutPrefix(path, "sweeps."); swept {
		segments, leaf = []string{"sweeps", sweep}, reflect.TypeFor[Sweeps]()
	}
	if leaf == nil {
		f.report.add(f.fault(key, "", "unknown key "+strconv.Quote(path), overrideHint(path)))
		return root
	}
	value, fault := newSource(flag, []byte(text)).parse([]byte(text))
	if fault != nil {
		message := fault.Message
		if len(src.secrets) > 0 {
			message = "is not valid YAML" // the library's words may quote the value
		}
		f.report.add(src.fault(1, utf8.RuneCountInString(assignment), 1, path, message, fault.Hint))
		return root
	}
	value, ok := f.expand(value)
	if !ok {
		return root
	}
	f.adopt(value, src, utf8.RuneCountInString(assignment)-utf8.RuneCountInString(text))
	if base, ok := strings.CutPrefix(path, "base_config."); ok && lookup(lookup(root, "sweeps"), base) != nil {
		f.report.add(f.fault(key, path, "is swept, so a value for the base has no effect", "set sweeps."+base))
	}
	return with(root, segments, key, value)
}

// adopt records where the nodes of an override come from.
func (f *file) adopt(n *yaml.Node, src *source, shift int) {
	f.origin[n] = src
	if n.Line == 1 {
		n.Column += shift
	}
	for _, child := range n.Content {
		f.adopt(child, src, shift)
	}
}

func overrideHint(path string) string {
	key := strings.TrimPrefix(path, "base_config.")
	if _, leaf := splitKey(reflect.TypeFor[Config](), key); leaf != nil {
		return "did you mean base_config." + key + "?"
	}
	paths := keysOf(reflect.TypeFor[Batch]())
	for _, key := range keysOf(reflect.TypeFor[Config]()) {
		paths = append(paths, base(key))
	}
	return cmp.Or(suggest(path, paths), "name a key of the batch file by its path, such as base_config.concurrency")
}

// splitOverride returns the two sides of an override.
func splitOverride(assignment string) (path, text string, found bool) {
	path, text, found = strings.Cut(assignment, "=")
	return strings.TrimSpace(path), text, found
}

// isSecretOverride reports whether the value of an override is never shown.
func isSecretOverride(path, value string) bool {
	if value == "" {
		return false
	}
	for _, block := range []string{"base_config", "sweeps"} {
		if key, below := strings.CutPrefix(path, block+"."); path == block || below && isSecret(key, value) {
			return true
		}
	}
	return false
}

// shownOverride returns an override as it may be written down.
func shownOverride(assignment string) string {
	if path, value, _ := splitOverride(assignment); isSecretOverride(path, value) {
		return path + "=" + redacted
	}
	return assignment
}
