package guide

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A bag is a mapping of AIPerf's configuration of which keys are taken one after
// another; what is left at the end has no counterpart.
type bag struct {
	*conversion
	path string
	m    map[string]any
}

// bagOf returns a mapping with its keys in AIPerf's snake case; an empty one
// where the value is none.
func (c *conversion) bagOf(path string, value any) *bag {
	b := &bag{c, path, map[string]any{}}
	m, ok := value.(map[string]any)
	if !ok {
		c.problem(path, "must be a mapping")
		return b
	}
	for key, v := range m {
		folded := snake(key)
		if _, twice := b.m[folded]; twice {
			c.problem(path+"."+key, "stands twice")
		}
		b.m[folded] = v
	}
	return b
}

// snake folds a key: gracePeriod and grace-period are grace_period.
func snake(key string) string {
	var b strings.Builder
	for i, r := range key {
		switch {
		case r == '-':
			r = '_'
		case r >= 'A' && r <= 'Z':
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (b *bag) at(key string) string {
	if b.path == "" {
		return key
	}
	return b.path + "." + key
}

// take returns the value of a key and takes it out; references to variables are
// put in.
func (b *bag) take(key string) (any, bool) {
	v, ok := b.m[key]
	delete(b.m, key)
	if !ok || v == nil {
		return nil, false
	}
	return b.resolve(b.at(key), v), true
}

// takeBag returns a mapping below a key, nil for none.
func (b *bag) takeBag(key string) *bag {
	v, ok := b.m[key]
	delete(b.m, key)
	if !ok || v == nil {
		return nil
	}
	return b.bagOf(b.at(key), v)
}

// end reports what was not taken.
func (b *bag) end() {
	var left []string
	for key := range b.m {
		left = append(left, key)
	}
	slices.Sort(left)
	for _, key := range left {
		b.problem(b.at(key), "has no counterpart in a batch file")
	}
}

// to gives a key below base_config the value of one of AIPerf's, as it stands.
func (b *bag) to(key, ours string) {
	if v, ok := b.take(key); ok {
		b.set(ours, v)
	}
}

// seconds gives a key in seconds the value of a duration.
func (b *bag) seconds(key, ours string) {
	v, ok := b.take(key)
	if !ok {
		return
	}
	if s, ok := b.each(b.at(key), v, inSeconds); ok {
		b.set(ours, s)
	}
}

// each applies a conversion to a value, or to every value of a list.
func (c *conversion) each(path string, v any, convert func(any) (any, error)) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]any, len(list))
	for i, x := range list {
		converted, err := convert(x)
		if err != nil {
			c.problem(path, "%v", err)
			return nil, false
		}
		out[i] = converted
	}
	if !ok {
		return out[0], true
	}
	return out, true
}

func inSeconds(v any) (any, error) {
	if text, ok := v.(string); ok {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			text += "s"
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no duration that a batch file has", text)
		}
		return d.Seconds(), nil
	}
	return v, nil
}

// distribution gives two keys the mean and the standard deviation.
func (b *bag) distribution(key, mean, stddev string) {
	v, ok := b.take(key)
	if !ok {
		return
	}
	if _, shaped := v.(map[string]any); !shaped {
		b.set(mean, v)
		return
	}
	d := b.bagOf(b.at(key), v)
	if m, ok := d.take("mean"); ok {
		b.set(mean, m)
	} else {
		b.problem(b.at(key), "is no normal distribution: a batch file has {mean, stddev}")
		return
	}
	d.to("stddev", stddev)
	d.end()
}

// only takes a key that may have one of some values, which a batch file has
// anyway.
func (b *bag) only(key string, values ...any) {
	v, ok := b.take(key)
	if ok && !slices.Contains(values, v) {
		b.problem(b.at(key), "%v has no counterpart in a batch file", v)
	}
}

var (
	environment = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:[^}]*)?\}`)
	template    = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}`)
)

// resolve puts the values of variables in, and writes references to the
// environment as a batch file has them.
func (c *conversion) resolve(path string, v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = c.resolve(path, x)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, x := range v {
			out[key] = c.resolve(path+"."+key, x)
		}
		return out
	case string:
		return c.resolveText(path, v)
	}
	return v
}

func (c *conversion) resolveText(path, text string) any {
	if m := template.FindStringSubmatch(text); m != nil && m[0] == strings.TrimSpace(text) {
		if value, known := c.variables[strings.TrimPrefix(m[1], "variables.")]; known {
			return value
		}
	}
	if strings.Contains(text, "{{") || strings.Contains(text, "{%") {
		c.problem(path, "%q is a template: write the value", text)
		return text
	}
	return environment.ReplaceAllStringFunc(text, func(ref string) string {
		m := environment.FindStringSubmatch(ref)
		if m[2] == "" {
			return ref
		}
		return "${" + m[1] + ":-" + m[2][1:] + "}"
	})
}
