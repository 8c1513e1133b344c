package sweep

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v4"
)

// redacted stands for a secret in everything that is written or shown.
const redacted = "<redacted>"

// reference matches ${NAME} in the value of a header.
var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

// variable matches the usual names of environment variables. What does not
// look like one may be a key pasted in place of its variable's name, and is
// not shown.
var variable = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// ExpandedHeaders returns the headers with every ${NAME} replaced by the value
// of the environment variable: what goes onto the wire, and nowhere else. It
// fails where a variable is not set.
func (c *Config) ExpandedHeaders(lookupEnv func(string) (string, bool)) (map[string]string, error) {
	headers := make(map[string]string, len(c.Headers))
	for name, value := range c.Headers {
		if unset := unsetIn(value, lookupEnv); unset != "" {
			return nil, fmt.Errorf("header %s: environment variable %s is not set: export it first", name, unset)
		}
		headers[name] = reference.ReplaceAllStringFunc(value, func(ref string) string {
			v, _ := lookupEnv(ref[2 : len(ref)-1])
			return v
		})
	}
	return headers, nil
}

// unsetIn returns the first variable without a value that the value of a
// header refers to; empty where all have one.
func unsetIn(value string, lookupEnv func(string) (string, bool)) string {
	for _, m := range reference.FindAllStringSubmatch(value, -1) {
		if v, ok := lookupEnv(m[1]); !ok || v == "" {
			return m[1]
		}
	}
	return ""
}

// hideSecrets finds the values of a file that no fault may show: those of the
// headers, and a key that was written where its variable's name belongs.
func (s *source) hideSecrets(root *yaml.Node) {
	base := follow(lookup(root, "base_config"))
	s.hideHeaders(lookup(base, "headers"))
	s.hide(lookup(base, "api_key_env_var"))
	if sweeps := follow(lookup(root, "sweeps")); sweeps != nil && sweeps.Kind == yaml.MappingNode {
		for key, values := range pairs(sweeps) {
			if key.Value == "headers" || len(key.Value) > 8 && key.Value[:8] == "headers." {
				s.hide(values)
			}
		}
	}
}

func (s *source) hideHeaders(headers *yaml.Node) {
	headers = follow(headers)
	if headers == nil {
		return
	}
	if headers.Kind != yaml.MappingNode {
		s.hide(headers)
		return
	}
	for _, value := range pairs(headers) {
		s.hide(value)
	}
}

// hide keeps a value, and those of a list, out of all faults.
func (s *source) hide(n *yaml.Node) {
	n = follow(n)
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if item.Kind == yaml.ScalarNode {
				s.hide(item)
			}
		}
	case n.Kind == yaml.ScalarNode && !variable.MatchString(n.Value):
		s.hidden[n.Line] = n.Column
		// Shorter words are no secrets, and may stand in any sentence.
		if len(n.Value) >= 6 {
			s.secrets = append(s.secrets, n.Value)
		}
	}
}

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
