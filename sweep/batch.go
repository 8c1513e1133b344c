package sweep

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"loadgen/mockllm"
)

// Options are what is said about a batch file from outside it.
type Options struct {
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Overrides replace values, each written as path=value with the value in
	// YAML: base_config.concurrency=8.
	Overrides []string
	// Only and Skip pick cells by their values, each written as key=value,value
	// with further keys behind a blank: a cell is run that meets all of Only
	// and none of Skip.
	Only, Skip []string
	// Salt is the cache_bust_salt of a file that names none: what sets the
	// prompts of this night apart. Without one they are as the seed alone makes
	// them.
	Salt string
	// OutputBaseDir replaces output_base_dir where it is not empty.
	OutputBaseDir string
	// LookupEnv finds environment variables. Where it is nil the file is
	// checked without them: nothing needs to be set.
	LookupEnv func(name string) (value string, ok bool)
}

// maxCells is the default of max_cells.
const maxCells = 100

// What the runner that loadgen replaces calls a batch without a name, and where
// it puts the results of one that does not say.
const (
	defaultName = "benchmark"
	defaultDir  = "aiperf_results"
)

// A Batch is a batch file that was found sound, with its cells.
type Batch struct {
	BatchName     string `yaml:"batch_name" validate:"filename"`
	OutputBaseDir string `yaml:"output_base_dir" validate:"min=1"`
	Base          Config `yaml:"base_config" need:"{model: …, url: …, …}"`
	Sweeps        Sweeps `yaml:"sweeps"`
	MaxCells      int    `yaml:"max_cells" validate:"gte=1,lte=10000"`

	// Repeats is how many runs each cell has.
	Repeats     int         `yaml:"repeats" validate:"gte=1,lte=100"`
	RepeatOrder RepeatOrder `yaml:"repeat_order" validate:"oneof=interleaved shuffled blocked"`
	// RepeatUntil goes on beyond Repeats until a figure is precise.
	RepeatUntil RepeatUntil `yaml:"repeat_until"`
	// VarySeed gives each run of a cell prompts and arrivals of its own.
	VarySeed        bool          `yaml:"vary_seed"`
	RestBetweenRuns time.Duration `yaml:"rest_between_runs" unit:"s" validate:"gte=0"`
	// StopWhen says which cells are not worth trying.
	StopWhen StopRules `yaml:"stop_when"`

	// Search looks for the capacity of each cell.
	Search Search `yaml:"search"`

	// Gate says which changes against a baseline fail.
	Gate Gate `yaml:"gate"`

	// Hooks are what is done around the runs.
	Hooks Hooks `yaml:"hooks"`
	// Export are the sinks that the results also go to.
	Export Exports `yaml:"export"`

	// Mock describes the simulated endpoint.
	Mock     mockllm.Config `yaml:"mock"`
	Profiler Profiler       `yaml:"profiler"`

	// Text is the text of the file. What is never shown is left out of it; what
	// refers to an environment variable is there by the variable's name.
	Text []byte `yaml:"-"`
	// Salt is that of the options.
	Salt string `yaml:"-"`
	// Overrides are those of the options, with secrets redacted.
	Overrides []string `yaml:"-"`
	// Notes say what is worth knowing about the file although nothing is wrong
	// with it, a sentence each.
	Notes []string `yaml:"-"`

	cells   []Cell
	leftOut []Cell // that were not picked
	source  Source
}

// A Source is what a batch was read from, with all that the file says: secrets,
// too.
type Source struct {
	Name string
	Text []byte
	// Options are without what only this process can give.
	Options Options
}

// Source returns what the batch was read from, so that another process can read
// it alike.
func (b *Batch) Source() Source { return b.source }

// Cells returns the combinations of the sweep values that are to be run, the
// first key of the file varying slowest; one without values for a batch without
// sweeps.
func (b *Batch) Cells() []Cell { return b.cells }

// LeftOut returns the combinations that were not picked, in the same order.
func (b *Batch) LeftOut() []Cell { return b.leftOut }

// With returns the batch as it is with other cells of the same file, in the
// order of the file.
func (b *Batch) With(cells []Cell) *Batch {
	other := *b
	other.leftOut = nil
	other.cells = slices.SortedFunc(slices.Values(cells), func(a, b Cell) int { return cmp.Compare(a.Index, b.Index) })
	return &other
}

// Load reads the batch file at a path, "-" for standard input. Everything that
// is wrong with the file is in the error, a [*Faults].
func Load(path string, o Options) (*Batch, error) {
	name, text, fault := readFile(path, o.Stdin)
	if fault != nil {
		return nil, &Faults{List: []*Fault{fault}}
	}
	return Parse(name, text, o)
}

// Parse reads a batch file from its text; the name is what faults call it. The
// error is as in [Load].
func Parse(name string, text []byte, o Options) (*Batch, error) {
	src := newSource(name, text)
	root, fault := src.parse(text)
	if fault != nil {
		return nil, &Faults{List: []*Fault{fault}}
	}
	f := newFile(src)
	f.salt = o.Salt
	f.hideSecrets(root)
	root, ok := f.expand(root)
	if !ok {
		return nil, f.report.err()
	}
	if root.Kind != yaml.MappingNode {
		f.report.add(f.fault(root, "", "a batch file is a map of keys, not "+describe(root),
			"it needs batch_name, output_base_dir and base_config"))
		return nil, f.report.err()
	}
	for _, assignment := range o.Overrides {
		root = f.override(root, "--set", assignment)
	}
	if o.OutputBaseDir != "" {
		value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: o.OutputBaseDir, Line: 1, Column: 1}
		f.adopt(value, newSource("--output-base-dir", []byte(o.OutputBaseDir)), 0)
		root = with(root, []string{"output_base_dir"}, value, value)
	}
	f.expandReferences(root, "", o.LookupEnv)
	f.keepApart(root, "", "", keysIn(root))
	batch := f.batch(root, o)
	batch.Text = src.public(text)
	batch.source = Source{Name: name, Text: text, Options: o}
	batch.source.Options.Stdin, batch.source.Options.LookupEnv = nil, nil
	if err := f.report.err(); err != nil {
		return nil, err
	}
	for _, assignment := range o.Overrides {
		batch.Overrides = append(batch.Overrides, ShownOverride(assignment))
	}
	return batch, nil
}

// blank returns a batch file without keys.
func blank() *Batch {
	batch := &Batch{
		BatchName: defaultName, OutputBaseDir: defaultDir,
		Repeats: 1, RepeatOrder: Interleaved, VarySeed: true, RepeatUntil: RepeatUntil{Max: mostRepeats},
		Search: Search{From: searchFrom, Precision: searchPrecision, Confidence: searchConfidence},
		Base:   defaults(), MaxCells: maxCells, Mock: mockllm.DefaultConfig(), Profiler: DefaultProfiler(),
	}
	batch.Mock.Precise = true // it runs as a process of its own, in real time
	return batch
}

// batch binds the file, checks it and expands its cells.
func (f *file) batch(root *yaml.Node, o Options) *Batch {
	batch := blank()
	batch.Salt = o.Salt
	sweeps := lookup(root, "sweeps")
	f.misspelt(sweeps)
	b := f.newBinder()
	b.swept = func(path string) bool {
		key, below := strings.CutPrefix(path, "base_config.")
		return below && (lookup(sweeps, key) != nil || f.unswept[path] || key == searchedKey(root))
	}
	b.bind(root, reflect.ValueOf(batch).Elem(), "", "")
	b.noteDefaults(batch)
	b.noteWords(batch)
	batch.Base.given = b.givenBelow("base_config")
	batch.Base.settle(batch.Sweeps, f.salt)
	b.checkValues(batch)
	b.checkSupport()
	b.checkMock(batch.Mock)
	b.checkRepeats(batch)
	b.checkSearch(batch)
	b.checkGate(batch)
	b.checkExports(batch.Export)
	if b.unsound["max_cells"] {
		batch.MaxCells = maxCells
	}
	total := batch.Sweeps.combinations()
	if total > batch.MaxCells {
		b.failKey("sweeps", fmt.Sprintf("make %d cells, more than max_cells: %d", total, batch.MaxCells),
			"sweep fewer values, or raise max_cells (to at most 10000)")
		return batch
	}
	if size := count(b.values["base_config"]); total*size > maxBound {
		b.failKey("sweeps", fmt.Sprintf("make %d cells of %d values each: more than %d in all", total, size, maxBound),
			"sweep fewer values, or write less below base_config")
		return batch
	}
	f.expandCells(batch, b, o)
	b.checkHooks(batch)
	f.pick(batch, o.Only, o.Skip)
	noteStreaming(batch)
	for _, assignment := range o.Overrides {
		path, _, _ := splitOverride(assignment)
		key, below := strings.CutPrefix(path, "base_config.")
		note := fmt.Sprintf("--set %s has no effect: %s is swept; set sweeps.%s to run other values", path, key, key)
		if below && batch.Sweeps.has(key) && !slices.Contains(batch.Notes, note) {
			batch.Notes = append(batch.Notes, note)
		}
	}
	return batch
}

// noteDefaults tells of what was left out that most files have, and of keys
// without a value.
func (b *binder) noteDefaults(batch *Batch) {
	for _, missing := range []struct{ key, value string }{
		{"batch_name", batch.BatchName}, {"output_base_dir", batch.OutputBaseDir},
	} {
		if b.values[missing.key] == nil {
			batch.Notes = append(batch.Notes, fmt.Sprintf("%s is not written: it is %s", missing.key, missing.value))
		}
	}
	if len(b.empty) > 0 {
		keys := slices.Sorted(maps.Keys(b.empty))
		batch.Notes = append(batch.Notes, "keys without a value count as not written: "+strings.Join(keys, ", "))
	}
}
