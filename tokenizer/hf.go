package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Caps on a tokenizer.json; the largest published one has 33 MB.
const (
	maxFile   = 96 << 20
	maxPart   = 4 << 20 // normalizer, pre_tokenizer, post_processor, decoder
	maxAdded  = 1 << 17
	maxStages = 16
)

// A component is a node of a tokenizer.json that has a type: a normalizer, a
// pre-tokenizer, a post-processor or a decoder. It has the fields of all.
type component struct {
	Type          string
	Normalizers   []component
	Pretokenizers []component
	Processors    []component
	Decoders      []component

	Pattern   struct{ String, Regex *string }
	Content   string
	Behavior  string
	Invert    bool
	Prepend   string
	Charsmap  []byte `json:"precompiled_charsmap"`
	Prefix    string
	Suffix    string
	Cleanup   bool
	Start     int
	Stop      int
	Lowercase bool

	UseRegex       *bool  `json:"use_regex"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	PrependScheme  string `json:"prepend_scheme"`
	Replacement    string
	Split          *bool
	Individual     bool  `json:"individual_digits"`
	StripLeft      bool  `json:"strip_left"`
	StripRight     bool  `json:"strip_right"`
	CleanText      bool  `json:"clean_text"`
	ChineseChars   bool  `json:"handle_chinese_chars"`
	StripAccents   *bool `json:"strip_accents"`

	Single        []map[string]struct{ ID string }
	SpecialTokens map[string]struct{ IDs []int } `json:"special_tokens"`
	Sep, Cls      json.RawMessage
}

// flat returns the component's parts where it is a sequence, else itself.
func (c *component) flat() []component {
	if c == nil {
		return nil
	}
	if c.Type != "Sequence" {
		return []component{*c}
	}
	var parts []component
	for _, list := range [][]component{c.Normalizers, c.Pretokenizers, c.Processors, c.Decoders} {
		for i := range list {
			parts = append(parts, list[i].flat()...)
		}
	}
	return parts
}

func unknown(role, what string) error {
	return fmt.Errorf("%s %q is not one that this package knows", role, what)
}

// Read makes a tokenizer of a tokenizer.json. Truncation and padding are
// ignored. The error names what the package does not know.
func Read(name string, text []byte) (*Tokenizer, error) {
	t, err := readHF(name, text)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", name, err)
	}
	return t, nil
}

func readHF(name string, text []byte) (*Tokenizer, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%d bytes: %w", len(text), errMany)
	}
	var model []byte
	var added []fileToken
	parts := map[string]*component{}
	r := &jsonReader{text: text}
	err := r.object(func(key string) error {
		key = strings.Clone(key)
		var err error
		switch key {
		case "added_tokens":
			added, err = readAdded(r)
		case "normalizer", "pre_tokenizer", "post_processor", "decoder":
			parts[key], err = readComponent(r)
		case "model":
			model, err = r.raw()
		default:
			_, err = r.raw()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if model == nil {
		return nil, errors.New("it has no model: this is not a tokenizer.json")
	}
	t := &Tokenizer{name: name, cache: new(cache), contents: map[int]string{}}
	if t.normalize, err = normalizers(parts["normalizer"].flat()); err != nil {
		return nil, err
	}
	t.add(added)
	var byteLevel bool
	if t.stages, byteLevel, err = stages(parts["pre_tokenizer"].flat()); err != nil {
		return nil, err
	}
	if err := t.readModel(model, byteLevel); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if t.around, err = around(parts["post_processor"].flat()); err != nil {
		return nil, err
	}
	if t.decode, err = newDecoder(parts["decoder"].flat(), byteLevel); err != nil {
		return nil, err
	}
	return t, nil
}

// readComponent reads one of the parts that have a type; nil for null.
func readComponent(r *jsonReader) (*component, error) {
	raw, err := r.raw()
	if err != nil {
		return nil, err
	}
	if len(raw) > maxPart {
		return nil, fmt.Errorf("%d bytes: %w", len(raw), errMany)
	}
	var c *component
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	return c, nil
}

// A fileToken is an element of added_tokens.
type fileToken struct {
	ID         int
	Content    string
	SingleWord bool `json:"single_word"`
	LStrip     bool
	RStrip     bool
	Normalized bool
}

func readAdded(r *jsonReader) ([]fileToken, error) {
	var added []fileToken
	err := r.array(func() error {
		if len(added) == maxAdded {
			return fmt.Errorf("%d added tokens: %w", maxAdded, errMany)
		}
		raw, err := r.raw()
		if err != nil {
			return err
		}
		var token fileToken
		if err := json.Unmarshal(raw, &token); err != nil {
			return err
		}
		if token.ID < 0 || token.ID >= maxTokens || token.Content == "" || len(token.Content) > maxTokenBytes {
			return fmt.Errorf("added token %q with id %d: out of bounds", shorten(token.Content), token.ID)
		}
		added = append(added, token)
		return nil
	})
	return added, err
}

// add makes the added tokens known. Their content is normalized where they
// are looked for in normalized text.
func (t *Tokenizer) add(added []fileToken) {
	var raw, normalized []addedToken
	for _, a := range added {
		t.contents[a.ID] = a.Content
		token := addedToken{id: int32(a.ID), content: a.Content, left: a.LStrip, right: a.RStrip, alone: a.SingleWord}
		if !a.Normalized {
			raw = append(raw, token)
			continue
		}
		for _, normalize := range t.normalize {
			token.content = normalize(token.content)
		}
		if token.content != "" {
			normalized = append(normalized, token)
		}
	}
	t.added, t.addedNorm = newAddedTokens(raw), newAddedTokens(normalized)
}

// around returns the special tokens that the post-processors put before and
// after a single text.
func around(parts []component) (around [2][]int, err error) {
	for _, c := range parts {
		switch c.Type {
		case "ByteLevel":
		case "TemplateProcessing":
			side := 0
			for _, item := range c.Single {
				if _, ok := item["Sequence"]; ok {
					side = 1
				} else if special, ok := item["SpecialToken"]; ok {
					around[side] = append(around[side], c.SpecialTokens[special.ID].IDs...)
				}
			}
		case "BertProcessing", "RobertaProcessing":
			for side, pair := range []json.RawMessage{c.Cls, c.Sep} {
				var name string
				var id int
				if err := json.Unmarshal(pair, &[]any{&name, &id}); err != nil {
					return around, fmt.Errorf("post-processor %s: %w", c.Type, err)
				}
				around[side] = append(around[side], id)
			}
		default:
			return around, unknown("post-processor", c.Type)
		}
	}
	return around, nil
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
