package sweep

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A Shape is what a value of the batch file may be: what the rules that check
// it say of the value alone, in a form that a schema and a reader can be given.
// Which keys go together is for the whole file to say, and stands in no shape.
type Shape struct {
	Kind Kind
	// Unit is that of a number: s or ms; empty where the key's name says it.
	Unit string
	// Words are texts with a meaning of their own: the only ones of a Text,
	// beside the numbers of a number and a boolean's true and false.
	Words []string
	// NotEmpty texts have a character at least, MaxLength is how many they have
	// at most, 0 for no bound; Pattern is the regular expression that they match,
	// in the dialect that ECMA 262 and Go share.
	NotEmpty  bool
	MaxLength int
	Pattern   string
	// Least and Most bound a number; OverLeast and UnderMost leave the bound
	// itself out.
	Least, Most          *float64
	OverLeast, UnderMost bool
	// Strict numbers are read as they stand: "8" is none.
	Strict bool
	// Off booleans can only be false: what they would ask for is not supported.
	Off bool
	// Keys are those of a block, in the order of the documentation.
	Keys []Key
	// KeyPattern is what the keys of a Map match, KeyWords all that there are;
	// Item is what its values are, or those of a List.
	KeyPattern string
	KeyWords   []string
	Item       *Shape
	// Or is another shape that the value may have.
	Or *Shape
}

// Kind is what kind of value a shape is.
type Kind string

// The kinds of values, in the words of the documentation.
const (
	Text     Kind = "text"
	Whole    Kind = "whole number"
	Number   Kind = "number"
	Boolean  Kind = "boolean"
	Duration Kind = "duration" // a text with a unit: 20ms
	Label    Kind = "text or number"
	Block    Kind = "block" // a map of keys that are known
	Map      Kind = "map"
	List     Kind = "list"
	Free     Kind = "anything"
)

// A Key is one key of the batch file.
type Key struct {
	// Name is the key in its block, Path that from the top of the file.
	Name, Path string
	Shape      Shape
	// Required keys must be written, unless the key beside it that Unless names
	// is. Example is a value for one.
	Required bool
	Unless   string
	Example  string
	// Default is the value where the key is not written, as a batch file would
	// hold it; nil for none.
	Default any
}

// Sweepable reports whether the key can stand in sweeps: it is a value below
// base_config, and none that shows in no directory's name.
func (k *Key) Sweepable() bool { return sweepable(k.Path, k.Shape.Kind) }

// Describe returns the keys of a batch file.
func Describe() []Key {
	batch := blank()
	return keysBelow(reflect.ValueOf(*batch), "")
}

// shaped is implemented by types that read themselves from a node; one that does
// not say what it takes is taken for anything.
type shaped interface{ shape(path string) Shape }

func keysBelow(v reflect.Value, path string) []Key {
	var keys []Key
	for name, field := range fields(v.Type()) {
		key := Key{Name: name, Path: join(path, name), Unless: field.Tag.Get("unless")}
		key.Example, key.Required = field.Tag.Lookup("need")
		value := v.FieldByIndex(field.Index)
		key.Shape = shapeOf(value, key.Path, field.Tag)
		key.Default = written(value, key.Shape.Kind, field.Tag.Get("unit"))
		keys = append(keys, key)
	}
	return keys
}

// written is a default as a batch file would hold it.
func written(v reflect.Value, kind Kind, unit string) any {
	if v.IsZero() && kind != Boolean || kind == Block {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		if unit == "" {
			return x.String()
		}
	case Percent:
		return fmt.Sprintf("%g%%", float64(x)*100)
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		return v.Convert(reflect.TypeFor[[]string]()).Interface()
	}
	return parameter(v, unit)
}

// shapeOf is the shape of a field by its type and its tags.
func shapeOf(v reflect.Value, path string, tag reflect.StructTag) Shape {
	s := kindOf(v, path, tag.Get("unit"))
	s.obey(tag.Get("validate"))
	if key, below := strings.CutPrefix(path, "mock."); below {
		s.obeyMock(key)
	}
	if path == "search.over" {
		s.Words = append(slices.Sorted(maps.Keys(searchKeys)), "") // empty as the whole block may be
	}
	s.Off = notSupported[path] != ""
	if most, ok := tag.Lookup("below"); ok {
		s.Most, s.UnderMost = s.bound(most), true
	}
	return s
}

func kindOf(v reflect.Value, path, unit string) Shape {
	t := v.Type()
	if own, ok := reflect.New(t).Interface().(shaped); ok {
		return own.shape(path)
	}
	if _, own := reflect.New(t).Interface().(nodeBinder); own {
		return Shape{Kind: Free}
	}
	if t == reflect.TypeFor[time.Duration]() {
		return duration(unit)
	}
	switch t.Kind() {
	case reflect.Struct:
		return Shape{Kind: Block, Keys: keysBelow(v, path)}
	case reflect.Map, reflect.Slice:
		item := kindOf(reflect.New(t.Elem()).Elem(), path, unit)
		if t.Kind() == reflect.Map {
			return Shape{Kind: Map, Item: &item}
		}
		return Shape{Kind: List, Item: &item}
	case reflect.Pointer:
		return kindOf(reflect.New(t.Elem()).Elem(), path, unit)
	case reflect.Interface:
		return Shape{Kind: Free}
	case reflect.Bool:
		return Shape{Kind: Boolean}
	case reflect.Float64:
		return Shape{Kind: Number}
	case reflect.String:
		return Shape{Kind: Text}
	case reflect.Uint64:
		return Shape{Kind: Whole, Least: new(float64)}
	case reflect.Int, reflect.Int64:
		return Shape{Kind: Whole}
	}
	panic("sweep: no shape for " + t.String())
}

// duration is the shape of a duration: a number of its unit, or a text that
// holds the unit.
func duration(unit string) Shape {
	if unit == "" {
		return Shape{Kind: Duration, Pattern: durationPattern}
	}
	most := float64(mostSeconds)
	if unit == "ms" {
		most *= 1000
	}
	return Shape{Kind: Number, Unit: unit, Most: &most}
}

// mostSeconds is more than thirty years.
const mostSeconds = 1e9

// durationPattern matches what time.ParseDuration reads.
const durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
