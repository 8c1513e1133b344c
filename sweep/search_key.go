package sweep

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A searchKey is what is to be known of a key that a search may vary: of each,
// more is harder for the endpoint.
type searchKey struct {
	unit, one string // of its values, and of a single one
	real      bool   // its values need not be whole
}

var searchKeys = map[string]searchKey{
	"concurrency":                 {"users", "user", false},
	"num_users":                   {"users", "user", false},
	"request_rate":                {"requests/s", "request/s", true},
	"user_request_rate":           {"requests/s of each user", "request/s of each user", true},
	"prompt_input_tokens_mean":    {"input tokens", "input token", false},
	"prompt_output_tokens_mean":   {"output tokens", "output token", false},
	"shared_system_prompt_length": {"tokens of system prompt", "token of system prompt", false},
	"num_prefix_prompts":          {"prefixes", "prefix", false},
	"prefix_prompt_length":        {"tokens of prefix", "token of prefix", false},
	"session_turns_mean":          {"turns", "turn", false},
}

// userKeys are those of how many users there are, and how fast: with a rate of all
// requests they mean something else, or nothing.
var userKeys = []string{"concurrency", "num_users", "user_request_rate"}

// LoadUnit returns what the values of a searched key are counted in, many and
// one.
func LoadUnit(key string) (unit, one string) { return searchKeys[key].unit, searchKeys[key].one }

// checkOver reports a key that no search can vary.
func (b *binder) checkOver(s *Search) {
	if _, ok := searchKeys[s.Over]; ok || !s.Asked() {
		return
	}
	known := slices.Sorted(maps.Keys(searchKeys))
	hint := "one of " + strings.Join(known, ", ")
	message := "is varied in no search: " + s.Over + " does not load the endpoint more the larger it is"
	switch field, ok := fieldByKey(reflect.TypeFor[Config](), s.Over); {
	case !ok:
		message = s.Over + " is no key of base_config"
		if near := suggest(s.Over, known); near != "" {
			hint = near
		}
	case !isNumber(field.Type):
		message = "must be a key of numbers, which " + s.Over + " is not"
	}
	b.fail(b.values["search.over"], "search.over", message, hint)
}

func isNumber(t reflect.Type) bool {
	return t.Kind() == reflect.Int || t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64 || t == reflect.TypeFor[Rate]()
}

// set writes the load into a configuration.
func (s *Search) set(c *Config, load float64) (value any) {
	field, _ := fieldByKey(reflect.TypeFor[Config](), s.Over)
	v := reflect.ValueOf(c).Elem().FieldByIndex(field.Index)
	if value = load; s.Whole() {
		value = int(load)
	}
	switch v.Kind() {
	case reflect.Int:
		v.SetInt(int64(load))
	case reflect.Float64:
		v.SetFloat(load)
	default:
		v.Set(reflect.ValueOf(Rate{PerSecond: load}))
	}
	return value
}

// searchedKey is the key that the search of a file varies; empty for none.
func searchedKey(root *yaml.Node) string {
	search := lookup(root, "search")
	if search == nil || search.Kind != yaml.MappingNode {
		return ""
	}
	if over := lookup(search, "over"); over != nil {
		return over.Value
	}
	return ""
}

// searched puts the first load of a search below base_config, as if it had been
// written there: each probe replaces it.
func (f *file) searched(config *yaml.Node, s *Search) *yaml.Node {
	if _, ok := searchKeys[s.Over]; !ok || !(s.From > 0) {
		return config
	}
	from := s.From
	if s.Whole() {
		from = max(1, math.Round(from)) // one that is not whole was reported
	}
	text := loadText(from)
	tag := "!!float"
	if from == math.Trunc(from) {
		tag = "!!int"
	}
	load := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text, Line: 1, Column: 1}
	f.adopt(load, newSource("search.from", []byte(text)), 0)
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s.Over, Line: 1, Column: 1}
	f.adopt(key, newSource("search.over", []byte(s.Over)), 0)
	return with(config, []string{s.Over}, key, load)
}
