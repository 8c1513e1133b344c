package guide

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"loadgen/sweep"
)

// A Draft is a batch file that is being put together: values of keys by their
// paths, in whatever order they come. It is written in that of the
// documentation.
type Draft struct {
	// Head is the comment on top, Schema where its JSON Schema lies, seen from
	// the file; empty for none.
	Head, Schema string

	values   map[string]string // YAML in one line
	comments map[string]string
	sweeps   []string // keys below base_config, in the order they came
}

// Set gives a key a value: a text, a bool, a number or json.Number, a list of
// these, or a map of them.
func (d *Draft) Set(path string, value any, comment string) {
	if d.values == nil {
		d.values, d.comments = map[string]string{}, map[string]string{}
	}
	d.values[path], d.comments[path] = inline(value), comment
	if text, ok := value.(string); ok && wholeReference.MatchString(text) {
		d.values[path] = text // in quotes it would be a text
	}
}

// wholeReference matches a value that an environment variable gives.
var wholeReference = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[A-Za-z0-9_./-]*)?\}$`)

// Has reports whether a key has a value.
func (d *Draft) Has(path string) bool { _, ok := d.values[path]; return ok }

// Sweep varies a key below base_config.
func (d *Draft) Sweep(key string, values []any) {
	d.Set("sweeps."+key, values, "")
	if !slices.Contains(d.sweeps, key) {
		d.sweeps = append(d.sweeps, key)
	}
}

// Write returns the batch file. It is one that loadgen takes: where it is not,
// the error tells every fault.
func (d *Draft) Write() ([]byte, error) {
	var b strings.Builder
	if d.Schema != "" {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", d.Schema)
	}
	for line := range strings.Lines(d.Head) {
		b.WriteString("# " + line)
	}
	if d.Head != "" {
		b.WriteString("\n")
	}
	d.block(&b, sweep.Describe(), "")
	if _, err := sweep.Parse("the new file", []byte(b.String()), sweep.Options{}); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// SchemaName is the file of the schema beside a batch file.
const SchemaName = "batch.schema.json"

// Create writes a batch file, with its schema where it names one; over a file
// that is there only where that is wanted: else the error is [os.ErrExist].
func (d *Draft) Create(path string, text []byte, over bool) error {
	how := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if over {
		how = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	f, err := os.OpenFile(path, how, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := cmp.Or(err, f.Close()); err != nil || d.Schema == "" {
		return err
	}
	schema, err := Schema()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(filepath.Dir(path), d.Schema), schema, 0o644)
}

// block writes the keys of a block that have values. Groups of base_config, as
// the documentation has them, are set apart.
func (d *Draft) block(b *strings.Builder, keys []sweep.Key, indent string) {
	group, below := "", false
	for _, k := range keys {
		if k.Path == "sweeps" {
			d.sweepsBlock(b)
			below = true
			continue
		}
		if k.Shape.Kind == sweep.Block && !d.Has(k.Path) {
			var inside strings.Builder
			d.block(&inside, k.Shape.Keys, indent+"  ")
			if inside.Len() > 0 {
				fmt.Fprintf(b, "\n%s%s:\n%s", indent, k.Name, inside.String())
				below = true
			}
			continue
		}
		if !d.Has(k.Path) {
			continue
		}
		if below {
			b.WriteString("\n")
			below = false
		}
		if e, _ := EntryOf(k.Path); strings.HasPrefix(k.Path, "base_config.") && e.Section != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = e.Section
		}
		d.line(b, indent, k.Name, k.Path)
	}
}

func (d *Draft) sweepsBlock(b *strings.Builder) {
	if len(d.sweeps) == 0 {
		return
	}
	b.WriteString("\n# Every combination is a cell, one run after another.\nsweeps:\n")
	for _, key := range d.sweeps {
		d.line(b, "  ", key, "sweeps."+key)
	}
}

// commentColumn is where comments begin that stand behind a value.
const commentColumn = 40

func (d *Draft) line(b *strings.Builder, indent, name, path string) {
	text := indent + name + ": " + d.values[path]
	if comment := d.comments[path]; comment != "" {
		text = fmt.Sprintf("%-*s # %s", commentColumn, text, comment)
	}
	b.WriteString(text + "\n")
}

// inline writes a value as YAML in one line.
func inline(value any) string {
	switch v := value.(type) {
	case string:
		return scalarText(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = inline(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for i, key := range keys {
			keys[i] = scalarText(key) + ": " + inline(v[key])
		}
		return "{" + strings.Join(keys, ", ") + "}"
	case nil:
		return "null"
	}
	return fmt.Sprint(value)
}

// plainScalar matches texts that YAML reads as themselves without quotes, also
// within a list.
var plainScalar = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+|://[A-Za-z0-9_./:@+-]*)*$`)

// words are plain texts that YAML reads as something else.
var wordsOfYAML = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "null", "none", "~", ".inf", ".nan"}

func scalarText(text string) string {
	if plainScalar.MatchString(text) && !slices.Contains(wordsOfYAML, strings.ToLower(text)) && !strings.HasSuffix(text, ":") {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
