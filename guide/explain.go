package guide

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"loadgen/sweep"
)

// Explain returns what is to be known of a key of the batch file: its type and
// unit, default, bounds, meaning and an example. The name is a path, such as
// base_config.concurrency, or the end of one; several keys may have it.
func Explain(name string) (string, error) {
	keys := allKeys()
	name = strings.TrimPrefix(strings.TrimSpace(name), "sweeps.")
	found := slices.DeleteFunc(slices.Clone(keys), func(k sweep.Key) bool {
		return k.Path != name && !strings.HasSuffix(k.Path, "."+name)
	})
	if exact := slices.IndexFunc(found, func(k sweep.Key) bool { return k.Path == name }); exact >= 0 {
		found = found[exact : exact+1]
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%q is no key of the batch file%s", name, alike(name, keys))
	}
	parts := make([]string, len(found))
	for i, k := range found {
		parts[i] = explain(&k)
	}
	return strings.Join(parts, "\n"), nil
}

// Overview lists all keys with the beginning of what they mean.
func Overview() string {
	var b strings.Builder
	for _, k := range allKeys() {
		e, _ := EntryOf(k.Path)
		meaning := plainText(e.Meaning)
		if first, _, more := strings.Cut(meaning, ". "); more {
			meaning = first
		}
		if runes := []rune(meaning); len(runes) > 70 {
			meaning = string(runes[:69]) + "…"
		}
		fmt.Fprintf(&b, "%-46s %s\n", k.Path, meaning)
	}
	return b.String()
}

// allKeys returns every key of the batch file, blocks before what is in them.
func allKeys() []sweep.Key {
	var all []sweep.Key
	var add func([]sweep.Key)
	add = func(keys []sweep.Key) {
		for _, k := range keys {
			all = append(all, k)
			add(k.Shape.Keys)
			if item := k.Shape.Item; item != nil {
				add(item.Keys)
				if item.Or != nil {
					add(item.Or.Keys)
				}
			}
		}
	}
	add(sweep.Describe())
	return all
}

// Names returns the paths of all keys.
func Names() []string {
	var names []string
	for _, k := range allKeys() {
		names = append(names, k.Path)
	}
	return names
}

func alike(name string, keys []sweep.Key) string {
	var last []string
	for _, k := range keys {
		last = append(last, k.Name)
	}
	tail := name[strings.LastIndexByte(name, '.')+1:]
	if like := sweep.Nearest(tail, last); like != "" {
		return fmt.Sprintf(": did you mean %s?", like)
	}
	return ": loadgen explain lists them all"
}

func explain(k *sweep.Key) string {
	e, _ := EntryOf(k.Path)
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			lines := wrapped(text, 12, 90)
			fmt.Fprintf(&b, "  %-9s %s", label, strings.TrimLeft(lines, " "))
		}
	}
	fmt.Fprintln(&b, k.Path)
	b.WriteString(wrapped(plainText(e.Meaning), 2, 90))
	line("type", typeOf(k, e))
	line("default", defaultOf(k, e))
	line("bounds", Bounds(&k.Shape))
	if k.Sweepable() {
		line("sweeps", "may be varied")
	}
	line("example", ExampleOf(k))
	line("see", e.Page)
	return b.String()
}

// typeOf is the kind of value, and what the documentation says of it.
func typeOf(k *sweep.Key, e Entry) string {
	kind, told := string(k.Shape.Kind), plainText(e.Type)
	if told == "" || told == kind {
		return kind
	}
	return kind + " (" + told + ")"
}

func defaultOf(k *sweep.Key, e Entry) string {
	if k.Required {
		if k.Unless != "" {
			return "required, unless " + k.Unless + " is there"
		}
		return "required"
	}
	return plainText(e.Default)
}

// Bounds says in words what a value is held to.
func Bounds(s *sweep.Shape) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if s.Off {
		add("only false: what it asks for is not supported")
	}
	if s.Least != nil {
		add("%s %s", map[bool]string{true: "above", false: "at least"}[s.OverLeast], number(*s.Least))
	}
	if s.Most != nil {
		add("%s %s", map[bool]string{true: "below", false: "at most"}[s.UnderMost], number(*s.Most))
	}
	words := slices.DeleteFunc(slices.Clone(s.Words), func(w string) bool { return w == "" })
	switch {
	case len(words) == 0:
	case s.Kind == sweep.Number, s.Kind == sweep.Boolean:
		add("or %s", strings.Join(words, ", "))
	default:
		add("one of %s", strings.Join(words, ", "))
	}
	if s.NotEmpty {
		add("not empty")
	}
	if s.MaxLength > 0 {
		add("at most %d characters", s.MaxLength)
	}
	if s.Kind == sweep.Map && len(s.KeyWords) > 0 {
		add("keys: %s", strings.Join(s.KeyWords, ", "))
	}
	if s.Item != nil && s.Kind == sweep.Map {
		if inside := Bounds(s.Item); inside != "" {
			add("values %s", inside)
		}
	}
	return strings.Join(parts, "; ")
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// ExampleOf is a line that sets a key, one that the documentation has where it
// has any.
func ExampleOf(k *sweep.Key) string {
	if value, ok := documented()[k.Path]; ok && k.Shape.Kind != sweep.Block {
		return k.Name + ": " + value
	}
	value := k.Example
	switch s := &k.Shape; {
	case value != "":
	case s.Kind == sweep.Block || s.Kind == sweep.Map || s.Kind == sweep.List:
		return ""
	case len(s.Words) > 0 && s.Kind != sweep.Number && s.Kind != sweep.Boolean:
		value = s.Words[len(s.Words)-1]
		if value == "" {
			value = s.Words[0]
		}
	case k.Default != nil && s.Kind != sweep.Boolean:
		value = fmt.Sprint(k.Default)
	case s.Kind == sweep.Boolean:
		value = fmt.Sprint(k.Default != true && !s.Off)
	case s.Kind == sweep.Duration:
		value = "20ms"
	case s.Kind == sweep.Whole, s.Kind == sweep.Number:
		value = sample(s)
	default:
		return ""
	}
	return k.Name + ": " + value
}

// sample is a number that a shape takes.
func sample(s *sweep.Shape) string {
	switch {
	case s.Most != nil && *s.Most <= 1:
		return "0.5"
	case s.Least != nil && *s.Least > 10:
		return number(*s.Least)
	}
	return "10"
}

// documented are the values in the YAML blocks of the documentation by the
// paths of their keys, the first of each.
var documented = sync.OnceValue(func() map[string]string {
	values := map[string]string{}
	for _, p := range pages() {
		for _, block := range yamlBlocks.FindAllStringSubmatch(p.text, -1) {
			prefix := ""
			if strings.HasPrefix(block[1], "  ") {
				prefix = "base_config."
			}
			readValues(block[1], prefix, values)
		}
	}
	return values
})

var yamlBlocks = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// readValues reads the lines of a block that set a value.
func readValues(block, prefix string, values map[string]string) {
	var path []string // by depth, two blanks each
	for line := range strings.Lines(block) {
		text := strings.TrimSpace(line)
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.HasPrefix(text, "#") || strings.ContainsAny(name, " {[") {
			continue
		}
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		if prefix != "" {
			depth--
		}
		if depth < 0 || depth > len(path) {
			continue
		}
		path = append(path[:depth], name)
		value, _, _ = strings.Cut(value, " #")
		key := prefix + strings.Join(path, ".")
		if value = strings.TrimSpace(value); value != "" && values[key] == "" {
			values[key] = value
		}
	}
}

// plainText is a text of the documentation without its marks.
func plainText(text string) string { return strings.ReplaceAll(text, "`", "") }

// wrapped is a text in lines of some width, indented.
func wrapped(text string, indent, width int) string {
	var b strings.Builder
	line := ""
	flush := func() {
		if line != "" {
			b.WriteString(strings.Repeat(" ", indent) + line + "\n")
		}
		line = ""
	}
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word)+indent > width {
			flush()
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	flush()
	return b.String()
}
