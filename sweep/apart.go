package sweep

import (
	"go.yaml.in/yaml/v4"

	"loadgen/internal/secret"
)

// keysIn returns the variables of a file whose values are keys, with what uses
// them.
func keysIn(root *yaml.Node) map[string]string {
	base := lookup(root, "base_config")
	used := map[string]string{}
	if headers := lookup(base, "headers"); headers != nil && headers.Kind == yaml.MappingNode {
		for name, value := range pairs(headers) {
			if !secret.NamesKey(name.Value) {
				continue
			}
			variables, _ := namesIn(value.Value) // a malformed one is reported elsewhere
			for _, variable := range variables {
				used[variable] = "headers." + name.Value
			}
		}
	}
	if name := lookup(base, "api_key_env_var"); name != nil && name.Value != "" {
		used[name.Value] = "api_key_env_var"
	}
	return used
}

// keepApart reports values that are written and shown, and refer to a variable
// that holds a key. They are not looked at further: a fault would quote them.
func (f *file) keepApart(n *yaml.Node, path, key string, keys map[string]string) {
	switch {
	case n == nil || path == base("headers") || path == "mock.api_key":
		return
	case n.Kind == yaml.MappingNode:
		for k, value := range pairs(n) {
			below := k.Value
			if path == "base_config" || path == "sweeps" {
				key = below
			}
			f.keepApart(value, join(path, below), key, keys)
		}
		return
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			f.keepApart(item, path, key, keys)
		}
		return
	}
	variables, err := namesIn(f.asWritten[n])
	if err != nil || isSecret(key, n.Value) {
		return
	}
	for _, variable := range variables {
		if use := keys[variable]; use != "" {
			f.open[n] = true
			f.report.add(f.fault(n, path, "refers to "+variable+", which is a key: "+use+" uses it, and this value is written and shown",
				"send it in headers, or in the query of endpoint"))
			return
		}
	}
}
