package archive

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"loadgen/compare"

	"loadgen"
)

// flatten appends the leaves of a decoded JSON value, keys joined by dots and
// sorted, but for those that skip names.
func flatten(to []compare.Setting, prefix string, v any, skip func(key string) bool) []compare.Setting {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			path := strings.TrimSuffix(prefix, ".")
			if path != "" {
				path += "."
			}
			to = flatten(to, path+key+".", v[key], skip)
		}
	case nil:
	default:
		if key := strings.TrimSuffix(prefix, "."); !skip(key) {
			to = append(to, compare.Setting{Key: key, Value: settingText(v)})
		}
	}
	return to
}

// settingText writes a value as a batch file would have it.
func settingText(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// foreignSettings are the settings of AIPerf's input_config, the main ones
// under loadgen's names. Where it wrote its files is none of them, and what it
// swept is told by the cell.
func foreignSettings(input map[string]any, cell []loadgen.Value) []compare.Setting {
	settings := []compare.Setting{{Key: compare.SettingTool, Value: "aiperf"}}
	for _, m := range []struct{ path, key string }{
		{"models.items.0.name", "model"},
		{"endpoint.urls.0", "url"},
		{"endpoint.type", "endpoint_type"},
		{"endpoint.streaming", "streaming"},
	} {
		if v := lookUp(input, m.path); v != nil {
			settings = append(settings, compare.Setting{Key: m.key, Value: address(fmt.Sprint(v))})
		}
	}
	swept := map[string]bool{}
	for _, v := range cell {
		swept[v.Key] = true
	}
	return flatten(settings, "", indexed(input), func(key string) bool {
		leaf := key[strings.LastIndexByte(key, '.')+1:]
		return strings.HasPrefix(key, "artifacts.") || strings.Contains(key, "random_seed") || swept[leaf] || isPrivate(key) ||
			strings.HasPrefix(key, "models.") || strings.HasPrefix(key, "endpoint.urls.") || key == "endpoint.type" || key == "endpoint.streaming"
	})
}

// private are words in the names of settings whose values are nobody's
// business: AIPerf's files are not ours, and may hold them as they are.
var private = []string{"api_key", "header", "password", "secret", "authorization", "credential"}

func isPrivate(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(private, func(word string) bool { return strings.Contains(key, word) })
}

// address is a URL without what may be secret in it: who asks, and the query.
func address(text string) string {
	text, _, _ = strings.Cut(text, "?")
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	host, path, _ := strings.Cut(rest, "/")
	if _, after, found := strings.Cut(host, "@"); found {
		host = after
	}
	return strings.TrimSuffix(scheme+"://"+host+"/"+path, "/")
}

// indexed turns lists into objects, so that each element has a path.
func indexed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = indexed(value)
		}
		return out
	case []any:
		out := make(map[string]any, len(v))
		for i, value := range v {
			out[fmt.Sprint(i)] = indexed(value)
		}
		return out
	}
	return v
}

// lookUp follows a path of keys and indices, nil where it leads nowhere.
func lookUp(v any, path string) any {
	v = indexed(v)
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}
