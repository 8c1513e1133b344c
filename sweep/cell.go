package sweep

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"loadgen"
)

// A Cell is one combination of the sweep values with the config it runs under.
type Cell struct {
	loadgen.Cell
	// Config is the base with the cell's values.
	Config Config
	// Pacing is how the cell loads the endpoint.
	Pacing Pacing
	// Probe is what a search asks of the cell's runs; nil for a cell of the file.
	Probe *Probe
}

// expandCells binds and checks the config of every combination. whole has
// bound the file.
func (f *file) expandCells(batch *Batch, whole *binder, o Options) {
	written := whole.values["base_config"]
	if !whole.sound("base_config") {
		return
	}
	var idle []map[string]idleness
	var b *binder
	names := map[string]bool{}
	mock := false
	for i := range batch.Sweeps.combinations() {
		positions := batch.Sweeps.at(i)
		node := written
		for k, p := range positions {
			sweep := batch.Sweeps[k]
			node = with(node, sweep.segments, sweep.key, sweep.nodes[p])
		}
		node = f.searched(node, &batch.Search)
		b = f.newBinder()
		b.keys["base_config"] = whole.keys["base_config"]
		b.swept = func(path string) bool { return f.unswept[path] }
		config := b.bindConfig(node, batch.Sweeps)
		b.detect(batch, &config, o)
		b.checkConfig(&config, o)
		b.checkProbe(&batch.Search, &config)
		b.checkSupport()
		idle = append(idle, b.certain(config.idle()))
		mock = mock || config.Mock() || b.unsound[base("url")]

		values := batch.Sweeps.values(positions)
		batch.cells = append(batch.cells, Cell{
			Cell: loadgen.Cell{
				Index:  i,
				Values: values,
				Dir:    unique(directory(values), names),
				Seed:   cellSeed(config.RandomSeed, values),
			},
			Config: config,
			Pacing: config.Pacing(),
		})
	}
	b.checkIdle(batch, idle)
	if whole.values["mock"] != nil && !mock {
		whole.failKey("mock", "has no effect: no cell runs against the simulated endpoint", "write url: mock://, or remove it")
	}
}

// bindConfig returns the config of one cell.
func (b *binder) bindConfig(n *yaml.Node, sweeps Sweeps) Config {
	batch := Batch{Base: defaults()}
	config := &batch.Base
	b.bind(n, reflect.ValueOf(config).Elem(), "base_config", "")
	b.checkValues(batch)
	config.given = b.givenBelow("base_config")
	config.settle(sweeps, b.salt)
	return *config
}

// settle fills in the defaults that depend on what else was written.
func (c *Config) settle(sweeps Sweeps, salt string) {
	if !c.Given("cache_bust_salt") && c.CacheBust != "none" {
		c.CacheBustSalt = Version(salt)
	}
	if !c.Given("endpoint") && c.EndpointType == "completions" {
		c.Endpoint = completionsEndpoint
	}
	// A file that compares arrival patterns without naming a rate wants the
	// one that its concurrency makes.
	paced := c.FixedSchedule || c.Given("user_request_rate")
	if !c.Given("request_rate") && !paced && sweeps.has("request_rate_mode") {
		c.RequestRate.Auto = true
	}
}

// cellSeed returns the seed of a cell. It depends on the cell's values, not on
// its position, so that a value added to a sweep leaves the other cells'
// prompts as they were.
func cellSeed(seed int64, values []loadgen.Value) loadgen.Seed {
	return loadgen.Seed(seed).Sub("cell " + pairNames(values))
}

// pairNames joins key and value pairs in sorted key order.
func pairNames(values []loadgen.Value) string {
	sorted := slices.SortedFunc(slices.Values(values), func(a, b loadgen.Value) int { return cmp.Compare(a.Key, b.Key) })
	parts := make([]string, len(sorted))
	for i, v := range sorted {
		parts[i] = v.Key + text(v.Value)
	}
	return strings.Join(parts, "_")
}

// maxDirectory is the length of a directory name in bytes that leaves room for
// a number behind it in the 255 of the usual file systems.
const maxDirectory = 200

// directory returns the name of a cell's directory. What is not safe in the
// name of a file becomes "_".
func directory(values []loadgen.Value) string {
	safe := []byte(pairNames(values))
	for i, c := range safe {
		word := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !word && c != '.' && c != '-' && c != '+' {
			safe[i] = '_'
		}
	}
	name := string(safe[:min(len(safe), maxDirectory)])
	// Some systems drop a dot at the end of a name.
	if strings.HasSuffix(name, ".") {
		name = name[:len(name)-1] + "_"
	}
	return name
}

// unique returns the name with a number behind it where it is taken; names
// that differ only in case are the same on some systems.
func unique(name string, taken map[string]bool) string {
	candidate := name
	for n := 2; taken[strings.ToLower(candidate)]; n++ {
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
	taken[strings.ToLower(candidate)] = true
	return candidate
}

// text writes a swept value in the shortest form that tells it from others.
func text(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return v
	}
	return fmt.Sprint(v)
}
