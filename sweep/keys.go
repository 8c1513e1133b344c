package sweep

import (
	"fmt"
	"iter"
	"reflect"
	"strings"
)

// notSupported holds the keys that are known but have no effect yet, by path,
// with what to do instead. Such a key is refused when it is written with
// anything but false, null or 0.
var notSupported = map[string]string{
	"profiler.dynamo_metrics.enable":                           "set it to false",
	"profiler.prefix_span_analysis.chain_with_common_prefixes": "set it to false: the toolkit takes it and does nothing with it",
}

// checkSupport refuses what is written and not supported.
func (b *binder) checkSupport() {
	for path, instead := range notSupported {
		if !b.sound(path) {
			continue
		}
		switch plain(b.values[path]) {
		case false, nil, 0:
		default:
			b.fail(b.values[path], path, "is not supported yet", instead)
		}
	}
}

// fields yields the fields of a struct that stand for keys, with the keys.
func fields(t reflect.Type) iter.Seq2[string, reflect.StructField] {
	return func(yield func(string, reflect.StructField) bool) {
		for i := range t.NumField() {
			field := t.Field(i)
			key := field.Tag.Get("yaml")
			if key != "" && key != "-" && !yield(key, field) {
				return
			}
		}
	}
}

func fieldByKey(t reflect.Type, wanted string) (reflect.StructField, bool) {
	for key, field := range fields(t) {
		if key == wanted {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// keysOf returns the keys of a struct in the order of its fields.
func keysOf(t reflect.Type) []string {
	var keys []string
	for key := range fields(t) {
		keys = append(keys, key)
	}
	return keys
}

// splitKey returns the segments of a path below a type: a struct's key ends at
// a dot, the key of a map of numbers or strings may hold dots itself. The type
// is that of the value; nil where the path leads nowhere.
func splitKey(t reflect.Type, path string) (segments []string, leaf reflect.Type) {
	for t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[nodeBinder]()) {
		head, rest, more := strings.Cut(path, ".")
		field, known := fieldByKey(t, head)
		if !known {
			return nil, nil
		}
		segments, t, path = append(segments, head), field.Type, rest
		if !more {
			return segments, t
		}
	}
	if t == reflect.TypeFor[SearchLimits]() && path != "" {
		return append(segments, path), reflect.TypeFor[float64]()
	}
	if t.Kind() != reflect.Map || path == "" {
		return nil, nil
	}
	if t.Elem().Kind() == reflect.Interface {
		return append(segments, strings.Split(path, ".")...), t.Elem()
	}
	return append(segments, path), t.Elem()
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// suggest returns "did you mean …?" with the nearest of the known words, empty
// where none is near.
func suggest(word string, known []string) string { return didYouMean(nearest(word, known)) }

func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", word)
}

// Nearest returns the known word that a misspelt one most resembles, empty where
// none is near.
func Nearest(word string, known []string) string { return nearest(word, known) }

// nearest returns the known word that a misspelt one most resembles, empty
// where none is near.
func nearest(word string, known []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, candidate := range known {
		if d := distance(strings.ToLower(word), candidate, least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours that turn a into b; at least limit where their lengths say so.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, previous, row = previous, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// wrapList joins words with commas, in lines of about 80 characters.
func wrapList(words []string) string {
	var b strings.Builder
	width := 0
	for i, word := range words {
		if i > 0 {
			b.WriteString(",")
			if width += len(word) + 2; width > 80 {
				b.WriteString("\n")
				width = len(word)
			} else {
				b.WriteString(" ")
			}
		}
		b.WriteString(word)
	}
	return b.String()
}

// Keys returns the keys of base_config in the order of the documentation.
func Keys() []string { return keysOf(reflect.TypeFor[Config]()) }
