package sweep

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// An Export is a sink that a batch's results also go to when it is over.
type Export struct {
	// To is the kind of sink.
	To string `yaml:"to" need:"parquet" validate:"oneof=parquet markdown junit vllm guidellm llm-d mlflow otlp pushgateway"`
	// URL is where a sink on the network is: the base of an OTLP/HTTP receiver,
	// or of a Pushgateway.
	URL string `yaml:"url" validate:"service,startswith=http"`
	// APIKeyEnvVar names the environment variable that holds its bearer token.
	APIKeyEnvVar string `yaml:"api_key_env_var" validate:"envvar"`
	// Dir is where mlflow's runs are; by default mlruns in output_base_dir.
	Dir string `yaml:"dir" validate:"min=1"`
}

// Exports are the sinks of a batch.
type Exports []Export

// Remote reports whether the sink is on the network.
func (e *Export) Remote() bool { return e.To == "otlp" || e.To == "pushgateway" }

const exportHint = "write a list such as [parquet, junit], or {to: otlp, url: http://localhost:4318}"

// bind reads a list whose entries are kinds, or maps with more.
func (e *Exports) bind(b *binder, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		b.fail(n, path, "must be a list, not "+describe(n), exportHint)
		return
	}
	seen := map[Export]bool{}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		var one Export
		if item.Kind == yaml.ScalarNode {
			to := at + ".to"
			b.values[to], b.keys[to] = item, item
			one.To = item.Value
		} else {
			b.bind(item, reflect.ValueOf(&one).Elem(), at, "")
		}
		if seen[one] {
			b.fail(item, at, "stands twice", "remove one")
			continue
		}
		seen[one] = true
		*e = append(*e, one)
	}
}

func (*Exports) shape(path string) Shape {
	block := kindOf(reflect.ValueOf(new(Export)).Elem(), path, "")
	kind := block.Keys[0].Shape
	kind.Or = &block
	return Shape{Kind: List, Item: &kind}
}

// checkExports reports sinks that lack what they need.
func (b *binder) checkExports(exports Exports) {
	for i := range exports {
		e, at := &exports[i], fmt.Sprintf("export[%d]", i)
		b.checkValuesAt(e, func(namespace string) string { return join(at, keyPath(namespace)) })
		if !b.sound(at + ".to") {
			continue
		}
		switch {
		case e.Remote() && b.values[at+".url"] == nil:
			b.fail(b.values[at+".to"], at, e.To+" needs url", "write {to: "+e.To+", url: http://localhost:"+map[string]string{"otlp": "4318", "pushgateway": "9091"}[e.To]+"}")
		case !e.Remote() && b.sound(at+".url"):
			b.failKey(at+".url", "has no effect: "+e.To+" is written to files", "remove it")
		case !e.Remote() && b.sound(at+".api_key_env_var"):
			b.failKey(at+".api_key_env_var", "has no effect: "+e.To+" is written to files", "remove it")
		case e.To != "mlflow" && b.sound(at+".dir"):
			b.failKey(at+".dir", "has no effect: only mlflow has a directory of its own", "remove it")
		}
	}
}

// ParseExports reads sinks that are named outside of a batch file, each as an
// entry of export.
func ParseExports(items []string) (Exports, error) {
	src := newSource("--to", []byte("["+strings.Join(items, ", ")+"]"))
	root, fault := src.parse([]byte(src.lines[0]))
	if fault != nil {
		return nil, &Faults{List: []*Fault{fault}}
	}
	f := newFile(src)
	root, ok := f.expand(root)
	if !ok {
		return nil, f.report.err()
	}
	b := f.newBinder()
	b.values["export"] = root
	var exports Exports
	exports.bind(b, root, "export")
	b.checkExports(exports)
	return exports, f.report.err()
}
