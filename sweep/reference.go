package sweep

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A reference is ${NAME} or ${NAME:-default} in a text, and stands for the value
// of an environment variable. $${ is the text ${ itself.

// malformed is a ${ that is no reference.
type malformed string

func (m malformed) Error() string { return string(m) + " is no environment variable" }

const referenceHint = "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"

// replaceReferences returns a text with every reference replaced by what value
// returns for its name and its default, which is nil where there is none.
func replaceReferences(text string, value func(name string, fallback *string) (string, error)) (string, error) {
	var b strings.Builder
	for {
		before, behind, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), nil
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			b.WriteString(literal + "${")
			text = behind
			continue
		}
		inner, rest, closed := strings.Cut(behind, "}")
		name, fallback, given := strings.Cut(inner, ":-")
		if !closed || !envName.MatchString(name) || strings.Contains(fallback, "${") {
			return "", malformed("${" + strings.TrimSuffix(inner, "\n"))
		}
		var instead *string
		if given {
			instead = &fallback
		}
		v, err := value(name, instead)
		if err != nil {
			return "", err
		}
		b.WriteString(before + v)
		text = rest
	}
}

// unset is an environment variable without a value that is referred to.
type unset string

func (u unset) Error() string {
	return "refers to environment variable " + string(u) + ", which is not set"
}

// expandText returns a text with its references replaced. It fails with an
// unset or a malformed one. A variable that is empty counts as not set.
func expandText(text string, lookup func(string) (string, bool)) (string, error) {
	return replaceReferences(text, func(name string, fallback *string) (string, error) {
		v, _ := lookup(name)
		switch {
		case v != "":
			return v, nil
		case fallback != nil:
			return *fallback, nil
		}
		return "", unset(name)
	})
}

// namesIn returns the variables that a text refers to.
func namesIn(text string) (names []string, err error) {
	_, err = replaceReferences(text, func(name string, _ *string) (string, error) {
		names = append(names, name)
		return "", nil
	})
	return names, err
}

// expandReferences replaces the references in all values of a file. Those of
// headers stay: what they stand for is secret, and put in where it is sent.
// Without a lookup, what refers to a variable is not judged.
func (f *file) expandReferences(n *yaml.Node, path string, lookup func(string) (string, bool)) {
	switch {
	case path == base("headers"):
	case strings.HasPrefix(path, "hooks.") && strings.HasSuffix(path, ".run"): // the shell's own
	case n.Kind == yaml.MappingNode:
		for key, value := range pairs(n) {
			f.expandReferences(value, join(path, key.Value), lookup)
		}
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			f.expandReferences(item, path, lookup)
		}
	case n.ShortTag() == "!!str" && strings.Contains(n.Value, "${"):
		f.expandReference(n, path, lookup)
	}
}

// expandReference does so in one value.
func (f *file) expandReference(n *yaml.Node, path string, lookup func(string) (string, bool)) {
	names, err := namesIn(n.Value)
	if err == nil && lookup == nil && len(names) > 0 {
		f.open[n] = true
		return
	}
	text := n.Value
	if err == nil {
		text, err = expandText(text, lookup)
	}
	switch err := err.(type) {
	case nil:
		f.replace(n, path, text, len(names) > 0)
	case unset:
		f.open[n] = true
		f.report.add(f.fault(n, path, err.Error(), fmt.Sprintf("export it before the run, or write ${%s:-default}", string(err))))
	default:
		f.open[n] = true
		f.report.add(f.fault(n, path, err.Error(), referenceHint))
	}
}

// secretName matches the keys of a request's body that hold a secret.
var secretName = regexp.MustCompile(`(?i)(^|[._-])(authorization|api[_-]?key|secret|password|(access|auth|bearer)[_-]?token)$`)

const (
	keptInRequest     = "would stand in inputs.json, where every request is kept"
	keptInRequestHint = "send it as a header, or use api_key_env_var"
)

// replace gives a node another text. What was written without quotes is read as
// if the text stood there: a number, true, or a list.
func (f *file) replace(n *yaml.Node, path, text string, referred bool) {
	f.asWritten[n] = n.Value
	from := f.source
	if other := f.origin[n]; other != nil {
		from = other
	}
	n.Value = text
	key := strings.TrimPrefix(strings.TrimPrefix(path, "base_config."), "sweeps.")
	switch {
	case !referred:
		return
	case path == "mock.api_key":
		from.hideReferred("headers", n)
	case key != path:
		from.hideReferred(key, n)
	}
	if strings.HasPrefix(key, "extra_inputs.") && secretName.MatchString(key) {
		f.open[n] = true
		f.report.add(f.fault(n, path, keptInRequest, keptInRequestHint))
		return
	}
	if n.Style == 0 {
		f.reread(n, text)
	}
}

// reread gives a node the type that a text would have in the file.
func (f *file) reread(n *yaml.Node, text string) {
	read, fault := newSource("", []byte(text)).parse([]byte(text))
	if fault != nil || read.Kind == yaml.MappingNode || read.Kind == yaml.AliasNode {
		return
	}
	n.Kind, n.Tag, n.Content = read.Kind, read.ShortTag(), read.Content
	if read.Kind == yaml.ScalarNode {
		n.Value = read.Value
	}
	for _, item := range n.Content {
		item.Line, item.Column = n.Line, n.Column
		f.asWritten[item], f.origin[item] = f.asWritten[n], f.origin[n]
	}
}
