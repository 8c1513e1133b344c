package guide

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"loadgen/sweep"
)

// object is a JSON object; it is written with its keys in order.
type object map[string]any

// reference matches a text that refers to an environment variable: what will
// stand in its place is not known.
const reference = `\$\{`

// Schema returns the JSON Schema (draft 7, which editors know best) of the batch
// file. It refuses nothing that loadgen takes, and of a single value everything
// that loadgen refuses: which keys there are, what each may hold, and which must
// be there. What several keys must not say together is left to --dry-run.
func Schema() ([]byte, error) {
	keys := sweep.Describe()
	root := schemaBlock(keys)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "A batch file of loadgen"
	root["description"] = "docs/batch-file.md describes every key, and loadgen explain KEY does."
	var base []sweep.Key
	for _, k := range keys {
		if k.Name == "base_config" {
			base = k.Shape.Keys
		}
	}
	properties := root["properties"].(object)
	properties["base_config"] = baseConfig(base)
	properties["sweeps"] = described(sweepsSchema(base), "sweeps")
	root["definitions"], root["allOf"] = definitions(base), unlessSwept(base)
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(text, '\n'), nil
}

// baseConfig names the keys below base_config with what they mean. What they may
// hold is said by unlessSwept.
func baseConfig(keys []sweep.Key) object {
	properties := object{}
	for _, k := range keys {
		properties[k.Name] = describedKey(object{}, &k)
	}
	return described(object{
		"type": "object", "properties": properties, "additionalProperties": false,
	}, "base_config")
}

// definitions are the schemas of the keys below base_config.
func definitions(keys []sweep.Key) object {
	all := object{}
	for _, k := range keys {
		all[k.Name] = schemaOf(k.Shape, !k.Required)
	}
	return all
}

// unlessSwept asks of each key below base_config that it is there and sound. The
// value of one that a sweep or a search replaces may be missing, or any.
func unlessSwept(keys []sweep.Key) []object {
	var all []object
	for _, k := range keys {
		config := object{"properties": object{k.Name: object{"$ref": "#/definitions/" + k.Name}}}
		switch {
		case k.Required && k.Unless != "":
			config["anyOf"] = []object{{"required": []string{k.Name}}, {"required": []string{k.Unless}}}
		case k.Required:
			config["required"] = []string{k.Name}
		}
		all = append(all, object{
			"if": swept(k.Name), "else": object{"properties": object{"base_config": config}},
		})
	}
	return all
}

// swept holds for a file that varies a key below base_config, or one in it.
func swept(key string) object {
	none := object{"propertyNames": object{"not": object{"pattern": "^" + key + `(\.|$)`}}}
	return object{"anyOf": []object{
		{"required": []string{"sweeps"}, "properties": object{"sweeps": object{"type": "object", "not": none}}},
		{"required": []string{"search"}, "properties": object{"search": object{
			"type": "object", "required": []string{"over"}, "properties": object{"over": object{"const": key}},
		}}},
	}}
}

// sweepsSchema takes a list of values for every key below base_config that can
// be varied.
func sweepsSchema(keys []sweep.Key) object {
	values := func(value object) object {
		return object{
			"type": []string{"array", "string"}, "pattern": reference, "minItems": 1, "uniqueItems": true,
			"items": object{"allOf": []object{{"type": []string{"number", "string", "boolean"}}, value}},
		}
	}
	properties, patterns := object{}, object{}
	var add func(keys []sweep.Key, path string)
	add = func(keys []sweep.Key, path string) {
		for _, k := range keys {
			name := path + k.Name
			switch {
			case k.Sweepable() && path == "":
				properties[name] = described(values(object{"$ref": "#/definitions/" + name}), k.Path)
			case k.Sweepable():
				properties[name] = described(values(schemaOf(k.Shape, false)), k.Path)
			case k.Shape.Kind == sweep.Block:
				add(k.Shape.Keys, name+".")
			case k.Shape.Kind == sweep.Map && k.Name != "headers":
				patterns["^"+regexp.QuoteMeta(name+".")+below(&k.Shape)] = values(schemaOf(*k.Shape.Item, false))
			}
		}
	}
	add(keys, "")
	return object{
		"type": []string{"object", "string", "null"}, "pattern": reference,
		"properties": properties, "patternProperties": patterns, "additionalProperties": false,
	}
}

// below matches the rest of a path that leads to a value of a map.
func below(m *sweep.Shape) string {
	switch {
	case len(m.KeyWords) > 0:
		return "(" + strings.Join(m.KeyWords, "|") + ")$"
	case m.KeyPattern != "":
		return strings.TrimPrefix(m.KeyPattern, "^")
	}
	return "."
}

// schemaBlock takes keys that are known.
func schemaBlock(keys []sweep.Key) object {
	properties := object{}
	var required []string
	for _, k := range keys {
		properties[k.Name] = describedKey(schemaOf(k.Shape, !k.Required), &k)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		s["required"] = required
	}
	return s
}

// schemaOf is the schema of a value; empty says whether it may be left out with
// its key there.
func schemaOf(s sweep.Shape, empty bool) object {
	one := schemaOfKind(&s, empty)
	if s.Or == nil {
		return one
	}
	return object{"anyOf": []object{one, schemaOf(*s.Or, empty)}}
}

func schemaOfKind(s *sweep.Shape, empty bool) object {
	types := func(types ...string) []string {
		types = append(types, "string") // a reference
		if empty {
			types = append(types, "null")
		}
		return slices.Compact(types)
	}
	switch s.Kind {
	case sweep.Boolean:
		if s.Off {
			return object{"anyOf": []object{{"enum": []any{false, 0, nil}}, {"type": "string", "pattern": reference}}}
		}
		schema := object{"type": types("boolean", "integer"), "minimum": 0, "maximum": 1}
		schema["pattern"] = either(yesOrNo, schema.words(s), reference)
		return schema
	case sweep.Whole:
		return bounded(object{"type": types("integer")}, s)
	case sweep.Number:
		return bounded(object{"type": types("number")}, s)
	case sweep.Duration: // 0 needs no unit
		return object{"type": types("integer"), "minimum": 0, "maximum": 0, "pattern": either(s.Pattern, reference)}
	case sweep.Text, sweep.Label:
		return schemaOfText(s, empty)
	case sweep.List:
		return object{"type": types("array"), "pattern": reference, "items": schemaOf(*s.Item, false)}
	case sweep.Map:
		return schemaOfMap(s, types("object"))
	case sweep.Block:
		block := schemaBlock(s.Keys)
		block["type"], block["pattern"] = types("object"), reference
		return block
	}
	return object{}
}

// yesOrNo matches the texts that are read as a boolean, numeral those that are
// read as a number.
const (
	yesOrNo = `^\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|[YyNnTtFf01])\s*$`
	numeral = `^\s*[+-]?[0-9][0-9_]*(\.[0-9]*)?([eE][+-]?[0-9]+)?\s*$`
)

// either matches what one of the patterns does.
func either(patterns ...string) string {
	patterns = slices.DeleteFunc(patterns, func(p string) bool { return p == "" })
	return strings.Join(patterns, "|")
}

// bounded adds the bounds of a number, and the texts that it may be.
func bounded(schema object, s *sweep.Shape) object {
	bound := func(name, open string, at *float64, over bool) {
		if at == nil {
			return
		}
		if over {
			name = open
		}
		schema[name] = *at
	}
	bound("minimum", "exclusiveMinimum", s.Least, s.OverLeast)
	bound("maximum", "exclusiveMaximum", s.Most, s.UnderMost)
	texts := []string{reference}
	if !s.Strict {
		texts = append(texts, numeral)
	}
	schema["pattern"] = either(append(texts, schema.words(s))...)
	return schema
}

// words is what the texts match that stand beside a number or a boolean.
func (o object) words(s *sweep.Shape) string {
	if len(s.Words) == 0 {
		return ""
	}
	o["examples"] = s.Words
	return "^(" + strings.Join(s.Words, "|") + ")$"
}

func schemaOfText(s *sweep.Shape, empty bool) object {
	kinds := []string{"string"}
	if s.Kind == sweep.Label {
		kinds = append(kinds, "number")
	}
	if empty {
		kinds = append(kinds, "null")
	}
	if len(s.Words) > 0 {
		var words []any
		for _, w := range s.Words {
			words = append(words, w)
			if n := json.Number(w); s.Kind == sweep.Label && json.Valid([]byte(w)) {
				words = append(words, n)
			}
		}
		if empty {
			words = append(words, nil)
		}
		return object{"anyOf": []object{{"enum": words}, {"type": "string", "pattern": reference}}}
	}
	schema := object{"type": kinds}
	pattern := s.Pattern
	if pattern == "" && s.NotEmpty {
		pattern = `[\s\S]`
	}
	if pattern != "" {
		schema["pattern"] = either(pattern, reference)
	}
	if s.MaxLength == 0 {
		return schema
	}
	return object{"allOf": []object{schema, {"anyOf": []object{{"maxLength": s.MaxLength}, {"pattern": reference}}}}}
}

func schemaOfMap(s *sweep.Shape, types []string) object {
	schema := object{"type": types, "pattern": reference}
	item := schemaOf(*s.Item, false)
	switch {
	case len(s.KeyWords) > 0:
		properties := object{}
		for _, word := range s.KeyWords {
			properties[word] = item
		}
		schema["properties"], schema["additionalProperties"] = properties, false
	case s.KeyPattern != "":
		schema["patternProperties"], schema["additionalProperties"] = object{s.KeyPattern: item}, false
	case s.Item.Kind != sweep.Free:
		schema["additionalProperties"] = item
	}
	return schema
}

// describedKey adds what the documentation says of a key, and its default.
func describedKey(schema object, k *sweep.Key) object {
	if k.Default != nil {
		schema["default"] = k.Default
	}
	return described(schema, k.Path)
}

func described(schema object, path string) object {
	e, ok := EntryOf(path)
	if !ok {
		return schema
	}
	text := e.Meaning
	if e.Type != "" {
		text += " (" + e.Type + ")"
	}
	schema["description"] = strings.ReplaceAll(text, "`", "")
	return schema
}
