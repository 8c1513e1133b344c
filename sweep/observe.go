package sweep

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen/internal/secret"
)

// Words that stand for a place of metrics.
const (
	// AutoMetrics looks for the metrics of the service itself.
	AutoMetrics = "auto"
	// LocalGPUs asks nvidia-smi for the GPUs of this machine.
	LocalGPUs = "local"
)

// Places are addresses of metrics: of the servers, or of exporters of GPU metrics.
type Places []string

// bind reads a list, or one place alone; none for no place.
func (p *Places) bind(b *binder, n *yaml.Node, path string) {
	word := AutoMetrics
	if strings.HasSuffix(path, "gpu_metrics") {
		word = LocalGPUs
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
			b.fail(item, path, fmt.Sprintf("must be %s, an address or a list of these, not %s", word, describe(item)), "such as [http://host:8000/metrics]")
			continue
		}
		if item == n && item.Value == "none" {
			return
		}
		if message, hint := placeFault(item.Value, word); message != "" {
			b.fail(item, path, message, hint)
			continue
		}
		*p = append(*p, item.Value)
	}
	if len(*p) > mostPlaces {
		b.fail(n, path, fmt.Sprintf("names %d places, more than %d", len(*p), mostPlaces), "each is asked every second")
	}
}

func (*Places) shape(path string) Shape {
	const address = `|[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?#].*)?)$`
	word := AutoMetrics
	if strings.HasSuffix(path, "gpu_metrics") {
		word = LocalGPUs
	}
	return Shape{
		Kind: Text, Pattern: `^(none|` + word + address,
		Or: &Shape{Kind: List, Item: &Shape{Kind: Text, Pattern: `^(` + word + address}},
	}
}

// Formats are those of the files that a server's metrics are written to.
type Formats []string

// formats are those there are.
var formats = []string{"json", "csv", "jsonl", "parquet"}

// bind reads a list, or one format alone.
func (f *Formats) bind(b *binder, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*f = nil
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || !slices.Contains(formats, item.Value) {
			b.fail(item, path, fmt.Sprintf("must be a list of %s, not %s", strings.Join(formats, ", "), describe(item)), suggest(item.Value, formats))
			continue
		}
		*f = append(*f, item.Value)
	}
}

func (*Formats) shape(string) Shape {
	one := Shape{Kind: Text, Words: formats}
	s := one
	s.Or = &Shape{Kind: List, Item: &one}
	return s
}

// mostPlaces bounds the work of asking them.
const mostPlaces = 64

// placeFault says what is wrong with a place of metrics; empty for nothing.
func placeFault(raw, word string) (message, hint string) {
	if raw == word {
		return "", ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "must be " + word + ", or the whole address of metrics", "such as http://host:8000/metrics"
	case u.User != nil:
		return "must not hold a user or password", "metrics of the service itself are asked with its headers"
	}
	return "", ""
}

// shown is what the batch file would hold, without the values of a query.
func (p Places) shown() []string {
	out := make([]string, len(p))
	for i, place := range p {
		out[i] = secret.HideURL(place)
	}
	return out
}

// Observes reports whether any metrics are asked for.
func (c *Config) Observes() bool { return len(c.ServerMetrics)+len(c.GPUMetrics) > 0 }
