package sweep

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"loadgen/internal/secret"
)

// override returns the tree of a batch file with one value replaced, written
// as path=value with the value in YAML.
func (f *file) override(root *yaml.Node, flag, assignment string) *yaml.Node {
	path, text, found := splitOverride(assignment)
	src := newSource(flag, []byte(assignment))
	src.hideOverride(path, text, found)
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
		like, hint := overrideHint(path)
		f.instead[like] = true
		f.report.add(f.fault(key, "", "unknown key "+strconv.Quote(path), hint))
		return root
	}
	if strings.TrimSpace(text) == "" {
		text = "null" // no value, as it would be in the file
		assignment += text
	}
	value, fault := newSource(flag, []byte(text)).parse([]byte(text))
	if fault != nil {
		message := fault.Message
		if isSecretOverride(path, text) {
			message = "is not valid YAML" // the library's words may quote the value
		}
		f.report.add(src.fault(1, utf8.RuneCountInString(assignment), 1, path, message, fault.Hint))
		return root
	}
	value, ok := f.expand(value)
	if !ok {
		return root
	}
	if isSecretOverride(path, text) {
		src.hideAll(value)
	}
	f.adopt(value, src, utf8.RuneCountInString(assignment)-utf8.RuneCountInString(text))
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

// overrideHint returns the path that was probably meant, empty for none, and
// what to say of it.
func overrideHint(path string) (like, hint string) {
	key := strings.TrimPrefix(path, "base_config.")
	if _, leaf := splitKey(reflect.TypeFor[Config](), key); leaf != nil {
		return base(key), didYouMean(base(key))
	}
	paths := keysOf(reflect.TypeFor[Batch]())
	for _, key := range Keys() {
		paths = append(paths, base(key))
	}
	like = nearest(path, paths)
	return like, cmp.Or(didYouMean(like), "name a key of the batch file by its path, such as base_config.concurrency")
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
	if path == "mock" || path == "mock.api_key" {
		return true
	}
	for _, block := range []string{"base_config", "sweeps"} {
		if key, below := strings.CutPrefix(path, block+"."); path == block || below && isSecret(key, value) {
			return true
		}
	}
	return false
}

// ShownOverride returns an override as it may be written down.
func ShownOverride(assignment string) string {
	if path, value, _ := splitOverride(assignment); isSecretOverride(path, value) {
		return path + "=" + secret.Mask
	}
	return assignment
}
