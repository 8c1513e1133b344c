package sweep

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen/internal/secret"
)

// variable matches the usual names of environment variables. What does not
// look like one may be a key pasted in place of its variable's name, and is
// not shown.
var variable = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// ExpandedHeaders returns the headers with every reference replaced by the value
// of the environment variable: what goes onto the wire, and nowhere else. It
// fails where a variable is not set.
func (c *Config) ExpandedHeaders(lookupEnv func(string) (string, bool)) (map[string]string, error) {
	headers := make(map[string]string, len(c.Headers))
	for name, value := range c.Headers {
		expanded, err := expandText(value, lookupEnv)
		if err != nil {
			return nil, fmt.Errorf("header %s %w: export it before the run", name, err)
		}
		headers[name] = expanded
	}
	return headers, nil
}

// hideSecrets finds the values of a file that no fault may show: those of the
// headers, a URL with a password or a query, the simulated endpoint's key, and a
// key that was written where its variable's name belongs.
func (s *source) hideSecrets(root *yaml.Node) {
	base := follow(lookup(root, "base_config"))
	s.hideHeaders(lookup(base, "headers"))
	s.hideMisspelt(base)
	s.hideMisspelt(root)
	s.hideHeaders(lookup(root, "headers"))
	if base != nil && base.Kind == yaml.MappingNode {
		for key, value := range pairs(base) { // written twice, too
			switch key.Value {
			case "api_key_env_var", "url", "endpoint", "health_check_endpoint", "server_metrics", "gpu_metrics":
				s.hideValue(key.Value, value)
			}
		}
	}
	s.hideValue("headers", lookup(follow(lookup(root, "mock")), "api_key"))
	if sweeps := follow(lookup(root, "sweeps")); sweeps != nil && sweeps.Kind == yaml.MappingNode {
		for key, values := range pairs(sweeps) {
			s.hideValue(key.Value, values)
		}
	}
}

// hideMisspelt hides what stands below keys that are probably meant to be
// headers, or a key.
func (s *source) hideMisspelt(n *yaml.Node) {
	n = follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for key, value := range pairs(n) {
		_, known := splitKey(reflect.TypeFor[Config](), key.Value)
		switch {
		case key.Value != "headers" && strings.Contains(strings.ToLower(key.Value), "header"):
			s.hideHeaders(value)
		case known == nil && secret.NamesKey(key.Value) && isLong(value.Value):
			s.hideValue("headers", value)
		}
	}
}

// hideOverride keeps the value of an override out of all faults where it is a
// secret, or may be one: the path may be misspelt, and the sign between the two
// another.
func (s *source) hideOverride(path, text string, found bool) {
	if !found {
		end := strings.IndexAny(path, ": \t")
		if end < 0 {
			return
		}
		path, text = path[:end], strings.Trim(path[end:], ": \t")
	}
	_, known := splitKey(reflect.TypeFor[Batch](), path)
	inRequest := strings.Contains(path, "extra_inputs.") && secretName.MatchString(path)
	if path == "" || inRequest || isSecretOverride(path, text) || known == nil && (secret.NamesKey(path) || strings.Contains(strings.ToLower(path), "header")) {
		s.secrets.Add(text)
	}
}

// hideAll hides every value of a tree.
func (s *source) hideAll(n *yaml.Node) {
	switch n.Kind {
	case yaml.ScalarNode:
		s.secrets.Add(n.Value)
	case yaml.MappingNode:
		for _, value := range pairs(n) {
			s.hideAll(value)
		}
	default:
		for _, item := range n.Content {
			s.hideAll(item)
		}
	}
}

func (s *source) hideHeaders(headers *yaml.Node) {
	headers = follow(headers)
	if headers == nil || headers.Kind != yaml.MappingNode {
		s.hideValue("headers", headers)
		return
	}
	for _, value := range pairs(headers) {
		s.hideValue("headers", value)
		if value.Kind == yaml.MappingNode { // a mistake, whose lines are shown
			for _, inner := range pairs(value) {
				s.hideValue("headers", inner)
			}
		}
	}
}

// hideValue keeps a value of a key below base_config, or those of a list, out
// of all faults where it is a secret.
func (s *source) hideValue(key string, n *yaml.Node) {
	n = follow(n)
	if n == nil || n.Kind == yaml.MappingNode {
		return
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item.Kind == yaml.ScalarNode {
				s.hideValue(key, item)
			}
		}
		return
	}
	if !isSecret(key, n.Value) {
		return
	}
	s.hideFound(n)
	if byName(key, n.Value) {
		return
	}
	hideFrom(s.cut, n)
	if isLong(n.Value) {
		s.written.Add(n.Value)
	}
}

// hideReferred does for a value that came from the environment: the file holds
// its name alone.
func (s *source) hideReferred(key string, n *yaml.Node) {
	if isSecret(key, n.Value) {
		s.hideFound(n)
	}
}

func (s *source) hideFound(n *yaml.Node) {
	hideFrom(s.hidden, n)
	if isLong(n.Value) {
		s.secrets.Add(n.Value)
	}
}

// isLong reports whether a secret is looked for wherever it may stand: a shorter
// one may be a word of ours, or in other settings.
func isLong(value string) bool { return len(value) >= 6 }

// hideFrom notes that a line is not shown from a node on.
func hideFrom(lines map[int]int, n *yaml.Node) {
	if column, hidden := lines[n.Line]; !hidden || n.Column < column {
		lines[n.Line] = n.Column
	}
}

// byName reports whether the value of a key holds no secret but the name of one.
func byName(key, value string) bool {
	names, literal := 0, false
	rest, err := replaceReferences(value, func(_ string, fallback *string) (string, error) {
		names++
		literal = literal || fallback != nil && *fallback != ""
		return "", nil
	})
	rest = strings.TrimSpace(rest)
	scheme := strings.EqualFold(rest, "bearer") || strings.EqualFold(rest, "basic")
	address := key != "headers" && !isSecret(key, rest) // whose secrets are in its query
	return err == nil && names > 0 && !literal && (rest == "" || scheme || address)
}

// public returns the text of a file as it may be kept: lines end where a secret
// begins that stands in the file.
func (s *source) public(text []byte) []byte {
	if len(s.cut) == 0 {
		return text
	}
	lines := strings.Split(string(text), "\n")
	for line, column := range s.cut {
		runes := []rune(lines[line-1])
		lines[line-1] = string(runes[:min(column-1, len(runes))]) + secret.Mask
	}
	return []byte(s.written.Hide(strings.Join(lines, "\n")))
}

// isSecret reports whether the value of a key below base_config is never
// shown.
func isSecret(key, value string) bool {
	head, _, _ := strings.Cut(key, ".")
	switch head {
	case "headers":
		return true
	case "api_key_env_var":
		return !variable.MatchString(value)
	case "url", "endpoint", "health_check_endpoint", "server_metrics", "gpu_metrics":
		return strings.Contains(value, "@") || secret.HideURL(value) != value
	}
	return false
}

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
