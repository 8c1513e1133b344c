package guide

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Convert makes a batch file of the configuration of AIPerf in a file, "-" for
// standard input. The notes go to a writer, a line each.
func Convert(path string, stdin io.Reader, notes io.Writer) (*Draft, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostAIPerf+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	draft, told, err := FromAIPerf(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	for _, note := range told {
		fmt.Fprintln(notes, "Note: "+note)
	}
	return draft, nil
}

// FromAIPerf makes a batch file of a configuration of AIPerf: a YAML file of its
// second schema, or a command line (aiperf profile …), as a shell has it. What
// has no counterpart is refused, all of it by name. The notes say what is told
// otherwise in a batch file, a sentence each.
func FromAIPerf(text []byte) (d *Draft, notes []string, err error) {
	if len(text) > mostAIPerf {
		return nil, nil, fmt.Errorf("is larger than %d KiB: name a configuration of AIPerf", mostAIPerf>>10)
	}
	c := &conversion{draft: &Draft{Head: "Made from a configuration of AIPerf by loadgen init --from-aiperf.\n"}}
	if words, ok := commandLine(string(text)); ok {
		c.arguments(words)
	} else {
		tree, err := readYAML(text)
		if err != nil {
			return nil, nil, err
		}
		c.config(tree)
	}
	c.complete()
	if len(c.problems) > 0 {
		return nil, nil, errors.New("has what no batch file says:\n  " + strings.Join(c.problems, "\n  "))
	}
	return c.draft, c.notes, nil
}

// mostAIPerf bounds what is read of a configuration, in bytes.
const mostAIPerf = 256 << 10

func readYAML(text []byte) (map[string]any, error) {
	var tree any
	limits := loaderlimits.New(loaderlimits.DepthValue(40))
	if err := yaml.Load(text, &tree, yaml.WithPlugin(limits)); err != nil {
		return nil, fmt.Errorf("is neither a command line of AIPerf nor YAML: %w", err)
	}
	m, ok := tree.(map[string]any)
	if !ok {
		return nil, errors.New("is neither a command line (aiperf profile …) nor a YAML configuration of AIPerf")
	}
	return m, nil
}

// commandLine returns the arguments behind aiperf profile in a shell's text:
// lines that are continued are joined, and comments left out.
func commandLine(text string) (words []string, ok bool) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		fields := splitShell(line)
		at := slices.IndexFunc(fields, func(w string) bool { return w == "aiperf" || strings.HasSuffix(w, "/aiperf") })
		if at >= 0 && at+1 < len(fields) && fields[at+1] == "profile" {
			return fields[at+2:], true
		}
	}
	return nil, false
}

// splitShell splits a line into words as a shell does, quotes and comments
// respected; nothing is expanded.
func splitShell(line string) []string {
	var words []string
	var word bytes.Buffer
	begun := false
	var quote rune
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0:
			if r == quote {
				quote = 0
				continue
			}
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == '#' && !begun:
			end()
			return words
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			end()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	return words
}

// A conversion collects what a configuration says.
type conversion struct {
	draft     *Draft
	problems  []string
	notes     []string
	variables map[string]any

	open  bool // a rate, a trace or paced users say when requests are due
	ended bool // a count or a duration ends the run
}

func (c *conversion) problem(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

func (c *conversion) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// set gives a key below base_config a value; a list is a sweep.
func (c *conversion) set(key string, value any) {
	if list, ok := value.([]any); ok {
		c.draft.Sweep(key, list)
		return
	}
	c.draft.Set("base_config."+key, value, "")
}

func (c *conversion) has(key string) bool {
	return c.draft.Has("base_config."+key) || c.draft.Has("sweeps."+key)
}

// complete adds what AIPerf means where nothing is said, and a batch file means
// otherwise.
func (c *conversion) complete() {
	if !c.draft.Has("batch_name") {
		c.draft.Set("batch_name", "from_aiperf", "")
	}
	if !c.draft.Has("output_base_dir") {
		c.draft.Set("output_base_dir", "artifacts", "")
	}
	if !c.has("url") {
		c.set("url", "http://localhost:8000")
	}
	if !c.has("warmup_request_count") && !c.has("warmup_duration") {
		c.draft.Set("base_config.warmup_request_count", 0, "AIPerf has none where none is asked for")
	} else if !c.has("warmup_handover") {
		c.draft.Set("base_config.warmup_handover", "drain", "as AIPerf does; seamless goes on under load")
	}
	if !c.open && !c.has("concurrency") {
		c.draft.Set("base_config.concurrency", 1, "AIPerf's default")
	}
	if c.has("request_rate") && !c.has("request_rate_mode") {
		c.draft.Set("base_config.request_rate_mode", "poisson", "AIPerf's default")
	}
	if !c.ended && !c.has("fixed_schedule") {
		c.draft.Set("base_config.request_count", 10, "AIPerf's default")
	}
	if !c.has("request_timeout") {
		c.note("a request may take 600 s, where AIPerf waits for 6 hours: request_timeout says otherwise")
	}
	if c.draft.Has("repeats") && !c.draft.Has("vary_seed") {
		c.draft.Set("vary_seed", false, "AIPerf sends the same in every run")
	}
}
