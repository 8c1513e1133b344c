package sweep

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// A binder carries the nodes of one mapping over to a Go value, and keeps where
// every key was written. Unlike the library's decoder it knows the path and the
// column of each value, and goes on after a fault.
type binder struct {
	*file
	keys, values map[string]*yaml.Node
	// unsound marks the paths that have a fault: no further rule is applied to
	// them.
	unsound map[string]bool
	// swept reports paths whose values come from a sweep: what is written for
	// them is not judged.
	swept func(path string) bool
}

func (f *file) newBinder() *binder {
	return &binder{
		file:    f,
		keys:    map[string]*yaml.Node{},
		values:  map[string]*yaml.Node{},
		unsound: map[string]bool{},
		swept:   func(string) bool { return false },
	}
}

// fail reports a fault of a value.
func (b *binder) fail(n *yaml.Node, path, message, hint string) {
	b.unsound[path] = true
	b.report.add(b.fault(n, path, message, hint))
}

// failKey reports a fault at a key; at the enclosing mapping where the key is
// not written.
func (b *binder) failKey(path, message, hint string) {
	at := cmp.Or(b.keys[path], b.values[path])
	for key := path; at == nil && key != ""; {
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
		at = cmp.Or(b.keys[key], b.values[key])
	}
	b.fail(at, path, message, hint)
}

// givenBelow returns the paths written below a key, without it.
func (b *binder) givenBelow(key string) map[string]bool {
	given := map[string]bool{}
	for path := range b.values {
		if below, ok := strings.CutPrefix(path, key+"."); ok {
			given[below] = true
		}
	}
	return given
}

// sound reports whether a key was written and has no fault of its own.
func (b *binder) sound(path string) bool { return b.values[path] != nil && !b.unsound[path] }

// A nodeBinder reads itself from a node.
type nodeBinder interface {
	bind(b *binder, n *yaml.Node, path string)
}

// bind sets v, which is addressable, from a node.
func (b *binder) bind(n *yaml.Node, v reflect.Value, path, unit string) {
	b.values[path] = n
	if b.open[n] {
		b.unsound[path] = true
		return
	}
	if custom, ok := v.Addr().Interface().(nodeBinder); ok {
		custom.bind(b, n, path)
		return
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		b.bindDuration(n, v, path, unit)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if b.isMapping(n, path) {
			b.bindStruct(n, v, path)
		}
	case reflect.Map:
		if b.isMapping(n, path) {
			b.bindMap(n, v, path)
		}
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			b.fail(n, path, "must be a list, not "+describe(n), "")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			b.bind(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i), unit)
		}
	case reflect.Pointer:
		if n.ShortTag() != "!!null" {
			v.Set(reflect.New(v.Type().Elem()))
			b.bind(n, v.Elem(), path, unit)
		}
	case reflect.Interface:
		if value := b.free(n, path); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		b.bindScalar(n, v, path)
	}
}

// isMapping accepts the null of a block whose lines are all commented out too:
// it has no keys.
func (b *binder) isMapping(n *yaml.Node, path string) bool {
	if n.Kind == yaml.MappingNode || n.ShortTag() == "!!null" {
		return true
	}
	b.fail(n, path, "must be a map of keys, not "+describe(n), "")
	return false
}

func (b *binder) bindStruct(n *yaml.Node, v reflect.Value, path string) {
	for key, value := range pairs(n) {
		at := join(path, key.Value)
		b.keys[at] = key
		field, known := fieldByKey(v.Type(), key.Value)
		if !known {
			b.unknown(key, v.Type(), path)
			continue
		}
		if _, required := field.Tag.Lookup("need"); !required && value.ShortTag() == "!!null" {
			b.empty[at] = true
			continue
		}
		b.bindKey(value, v.FieldByIndex(field.Index), at, field.Tag.Get("unit"))
	}
	for key, field := range fields(v.Type()) {
		at := join(path, key)
		if instead, ok := field.Tag.Lookup("unless"); ok && b.values[join(path, instead)] != nil {
			continue
		}
		if example, required := field.Tag.Lookup("need"); required && b.values[at] == nil && !b.swept(at) && !b.meant(at) {
			b.missing(at, example)
		}
	}
}

// bindKey sets v from the value of a key. A value that every cell replaces may
// be a placeholder, such as concurrency: 0; it counts where it is sound. The
// values of a sweep and of an override are judged.
func (b *binder) bindKey(n *yaml.Node, v reflect.Value, path, unit string) {
	if !b.swept(path) || b.origin[n] != nil || b.sweepOf[n] != "" {
		b.bind(n, v, path, unit)
		return
	}
	aside := *b.file
	aside.report = &report{}
	value := reflect.New(v.Type()).Elem()
	aside.newBinder().bind(n, value, path, unit)
	if len(aside.report.list) == 0 {
		v.Set(value)
	}
	b.values[path], b.unsound[path] = n, true
}

// missing reports a required key that was not written.
func (b *binder) missing(path, example string) {
	b.failKey(path, "is missing", fmt.Sprintf("add %s: %s", path[strings.LastIndexByte(path, '.')+1:], example))
}

// unknown reports a key that is none. The one that it stands for is not missed:
// that would be the same mistake told twice.
func (b *binder) unknown(key *yaml.Node, t reflect.Type, path string) {
	_, top := fieldByKey(reflect.TypeFor[Batch](), key.Value)
	_, below := fieldByKey(reflect.TypeFor[Config](), key.Value)
	hint := "valid keys: " + wrapList(keysOf(t))
	switch like := nearest(key.Value, keysOf(t)); {
	case like != "":
		hint = didYouMean(like)
		b.instead[join(path, like)] = true
	case top && path != "":
		hint = "it belongs at the top level, beside base_config"
		b.instead[key.Value] = true
	case below && path != "base_config":
		hint = "it belongs below base_config"
		b.instead[base(key.Value)] = true
	}
	b.fail(key, join(path, key.Value), "unknown key", hint)
}

func (b *binder) bindMap(n *yaml.Node, v reflect.Value, path string) {
	m := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	for key, value := range pairs(n) {
		at := join(path, key.Value)
		b.keys[at] = key
		item := reflect.New(v.Type().Elem()).Elem()
		b.bindKey(value, item, at, "")
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
	v.Set(m)
}

// bindDuration reads a number of the field's unit; for a field without one, a
// text such as 20ms.
func (b *binder) bindDuration(n *yaml.Node, v reflect.Value, path, unit string) {
	if unit == "" {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			b.fail(n, path, "must be a duration with its unit, not "+describe(n), "such as 20ms, 1.5s or 30us")
			return
		}
		v.SetInt(int64(d))
		return
	}
	size, name := time.Second, "seconds"
	if unit == "ms" {
		size, name = time.Millisecond, "milliseconds"
	}
	x, ok := number(lax(n, v.Type()))
	switch {
	case !ok:
		b.fail(n, path, fmt.Sprintf("must be a number of %s, not %s", name, describe(n)), quantityHint(n, size))
	case math.Abs(x) > mostSeconds*float64(time.Second/size):
		b.fail(n, path, n.Value+" "+name+" are more than thirty years", "")
	case x > 0 && x*float64(size) < 1:
		b.fail(n, path, n.Value+" "+name+" are less than a nanosecond", "")
	default:
		v.SetInt(int64(math.Round(x * float64(size))))
	}
}

// quantityHint turns a duration such as 1m30s into the number that was asked
// for.
func quantityHint(n *yaml.Node, unit time.Duration) string {
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		return ""
	}
	return "write " + strconv.FormatFloat(float64(d)/float64(unit), 'g', -1, 64)
}

func (b *binder) bindScalar(n *yaml.Node, v reflect.Value, path string) {
	tag, read := n.ShortTag(), lax(n, v.Type())
	switch v.Kind() {
	case reflect.String:
		if _, referred := b.asWritten[n]; referred && tag != "!!null" {
			tag = "!!str" // a variable has no quotes to tell a text by
		}
		switch tag {
		case "!!str", "!!timestamp":
			v.SetString(n.Value)
		case "!!int", "!!float", "!!bool":
			b.fail(n, path, "must be text, not "+describe(n), "put it in quotes: "+strconv.Quote(n.Value))
		default:
			b.fail(n, path, "must be text, not "+describe(n), "")
		}
	case reflect.Bool:
		on, err := strconv.ParseBool(strings.ToLower(read.Value))
		if read.ShortTag() != "!!bool" || err != nil {
			b.fail(n, path, "must be true or false, not "+describe(n), suggest(n.Value, []string{"true", "false"}))
			return
		}
		v.SetBool(on)
	case reflect.Uint64:
		i, ok := integer(read)
		if !ok || i < 0 {
			b.fail(n, path, "must be a whole number from 0, not "+describe(n), "")
			return
		}
		v.SetUint(uint64(i))
	case reflect.Int, reflect.Int64:
		i, ok := integer(read)
		if !ok || v.OverflowInt(i) {
			b.fail(n, path, "must be a whole number, not "+describe(n), wholeHint(n))
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		x, ok := number(read)
		if !ok {
			b.fail(n, path, "must be a number, not "+describe(n), wholeHint(n))
			return
		}
		v.SetFloat(x)
	default:
		panic("sweep: no binding for " + v.Type().String())
	}
}

// wholeHint proposes the number that was probably meant.
func wholeHint(n *yaml.Node) string {
	if digits := strings.TrimLeft(n.Value, "+-"); n.ShortTag() == "!!float" && digits != "" && strings.Trim(digits, "0123456789_") == "" {
		return fmt.Sprintf("it is too large: %d is the largest there is", math.MaxInt64)
	}
	if n.ShortTag() != "!!int" {
		return ""
	}
	if trimmed := strings.TrimLeft(n.Value, "0"); trimmed != "" && len(trimmed) < len(n.Value) {
		return "write " + trimmed + ", without the leading zero"
	}
	return "it is too large"
}
