package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// modelConfig is the part of a model that is not its vocabulary.
type modelConfig struct {
	Type         string
	Unk          *string `json:"unk_token"`
	UnkID        *int    `json:"unk_id"`
	Dropout      *float64
	Prefix       *string `json:"continuing_subword_prefix"`
	Suffix       *string `json:"end_of_word_suffix"`
	FuseUnk      bool    `json:"fuse_unk"`
	ByteFallback bool    `json:"byte_fallback"`
	IgnoreMerges bool    `json:"ignore_merges"`
	MaxChars     int     `json:"max_input_chars_per_word"`
}

// readModel reads a model; byteLevel says that its tokens are written in the
// letters that stand for bytes.
func (t *Tokenizer) readModel(text []byte, byteLevel bool) error {
	var config modelConfig
	var vocabText, mergesText []byte
	fields := map[string]json.RawMessage{}
	r := &jsonReader{text: text}
	err := r.object(func(key string) error {
		raw, err := r.raw()
		switch {
		case err != nil:
			return err
		case key == "vocab":
			vocabText = raw
		case key == "merges":
			mergesText = raw
		case len(raw) > maxPart || len(fields) == 64:
			return fmt.Errorf("%s: %w", shorten(key), errMany)
		default:
			fields[strings.Clone(key)] = raw
		}
		return nil
	})
	if err != nil {
		return err
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(rest, &config); err != nil {
		return err
	}
	if vocabText == nil {
		return errors.New("it has no vocab")
	}
	kind := config.Type
	if kind == "" { // files of old leave it out
		switch {
		case mergesText != nil:
			kind = "BPE"
		case vocabText[0] == '[':
			kind = "Unigram"
		case config.MaxChars > 0:
			kind = "WordPiece"
		}
	}
	switch kind {
	case "BPE":
		return t.readBPE(config, vocabText, mergesText, byteLevel)
	case "WordPiece":
		return t.readWordPiece(config, vocabText)
	case "Unigram":
		return t.readUnigram(config, vocabText)
	}
	return unknown("model type", kind)
}

// readVocab reads {"token": id, …}.
func readVocab(text []byte, byteLevel bool) (*vocab, error) {
	v := newVocab(len(text)/32, len(text)/4)
	r := &jsonReader{text: text}
	var raw []byte
	err := r.object(func(key string) error {
		id, err := r.integer()
		if err != nil {
			return err
		}
		findable := true
		if byteLevel {
			if raw, findable = appendBytes(raw[:0], key); findable {
				key = view(raw)
			}
		}
		if err := v.put(id, key, findable); err != nil {
			return fmt.Errorf("vocab: token %q, id %d: %w", shorten(key), id, err)
		}
		return nil
	})
	return v, err
}

func (t *Tokenizer) readBPE(c modelConfig, vocabText, mergesText []byte, byteLevel bool) error {
	switch {
	case c.Dropout != nil && *c.Dropout != 0:
		return unknown("option", "dropout")
	case c.Prefix != nil && *c.Prefix != "":
		return unknown("option", "continuing_subword_prefix")
	case c.Suffix != nil && *c.Suffix != "":
		return unknown("option", "end_of_word_suffix")
	}
	v, err := readVocab(vocabText, byteLevel)
	if err != nil {
		return err
	}
	m := &bpe{vocab: v, unknown: -1, fuse: c.FuseUnk, anyWhole: c.IgnoreMerges}
	if c.Unk != nil {
		if id, ok := v.find(*c.Unk); ok {
			m.unknown = id
		}
	}
	if byteLevel {
		m.letters = v.optionalLetters()
	}
	if c.ByteFallback {
		m.bytes = v.fallback()
	}
	inner, err := m.readMerges(mergesText, byteLevel)
	if err != nil {
		return err
	}
	t.vocab, t.model, t.whole = v, m, c.IgnoreMerges
	if _, ok := v.find(blank); ok && !inner && !c.IgnoreMerges && !byteLevel && len(t.stages) == 0 {
		t.stages = []stage{{cut: keepAll(beforeBlank)}}
	}
	return nil
}

// blank is how SentencePiece writes a space.
const blank = "▁"

// beforeBlank cuts before a blank that follows something else. Where no merge
// reaches across such a place the ids are the same as without cutting, and
// words can be remembered.
func beforeBlank(s string, i int) int {
	for strings.HasPrefix(s[i:], blank) {
		i += len(blank)
	}
	if n := strings.Index(s[i:], blank); n >= 0 {
		return i + n
	}
	return len(s)
}

// readMerges reads ["a b", …] or [["a", "b"], …]. It reports whether a merge
// makes a token with a blank after something else.
func (m *bpe) readMerges(text []byte, byteLevel bool) (inner bool, err error) {
	if text == nil {
		return false, errors.New("it has no merges")
	}
	m.pairs = newPairs(min(strings.Count(view(text), `"`)/2, maxMerges))
	rank := 0
	r := &jsonReader{text: text}
	var raw, joined []byte
	err = r.array(func() error {
		if rank == maxMerges {
			return fmt.Errorf("%d merges: %w", rank, errMany)
		}
		a, b, err := readMerge(r, joined[:0])
		if err != nil {
			return fmt.Errorf("merge %d: %w", rank, err)
		}
		if len(a) == 0 || len(b) == 0 || len(a)+len(b) > maxTokenBytes {
			return fmt.Errorf("merge %d: %q and %q are not two tokens", rank, shorten(string(a)), shorten(string(b)))
		}
		if byteLevel {
			raw, _ = appendBytes(raw[:0], view(a))
			n := len(raw)
			raw, _ = appendBytes(raw, view(b))
			a, b = raw[:n], raw[n:]
		}
		joined = append(append(joined[:0], a...), b...)
		left, ok1 := m.vocab.find(view(a))
		right, ok2 := m.vocab.find(view(b))
		both, ok3 := m.vocab.find(view(joined))
		if !ok1 || !ok2 || !ok3 {
			return fmt.Errorf("merge %d: %q, %q or both together are not in the vocabulary", rank, a, b)
		}
		inner = inner || strings.Contains(strings.TrimLeft(view(joined), blank), blank)
		m.pairs.put(left, right, rank, both)
		rank++
		return nil
	})
	return inner, err
}

// readMerge reads one merge in either form, using buf if need be.
func readMerge(r *jsonReader, buf []byte) (a, b []byte, err error) {
	if r.peek() == '"' {
		s, err := r.str()
		if err != nil {
			return nil, nil, err
		}
		left, right, ok := strings.Cut(view(s), " ")
		if !ok || strings.Contains(right, " ") {
			return nil, nil, fmt.Errorf("%q is not two tokens and a blank", shorten(string(s)))
		}
		return s[:len(left)], s[len(left)+1:], nil
	}
	n := 0
	err = r.array(func() error {
		s, err := r.str()
		if err != nil {
			return err
		}
		switch n++; n {
		case 1:
			a = append(buf, s...)
		case 2:
			b = s
		}
		return nil
	})
	if err == nil && n != 2 {
		err = fmt.Errorf("it has %d parts", n)
	}
	return a, b, err
}

// fallback returns the ids of <0x00> to <0xFF>, nil unless all are there.
func (v *vocab) fallback() *[256]int32 {
	var ids [256]int32
	for b := range ids {
		id, ok := v.find(fmt.Sprintf("<0x%02X>", b))
		if !ok {
			return nil
		}
		ids[b] = id
	}
	return &ids
}

// optionalLetters returns the ids of the 256 bytes, -1 for those without.
func (v *vocab) optionalLetters() *[256]int32 {
	var ids [256]int32
	for b := range ids {
		ids[b] = -1
		if id, ok := v.find(string([]byte{byte(b)})); ok {
			ids[b] = id
		}
	}
	return &ids
}

// byteOf says which byte a letter of GPT-2's byte alphabet stands for, -1 for
// other runes: the visible Latin-1 characters stand for themselves, the other
// 68 bytes are the letters from U+0100 on.
var byteOf = func() (of [256 + 68]int16) {
	next := 256
	for b := range 256 {
		of[b] = -1
		if b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®' {
			of[b] = int16(b)
		} else {
			of[next] = int16(b)
			next++
		}
	}
	return of
}()

// appendBytes appends the bytes that s spells in the byte alphabet. A token
// with any other character stands for itself: it is reported as false.
func appendBytes(dst []byte, s string) ([]byte, bool) {
	for _, r := range s {
		if int(r) >= len(byteOf) || byteOf[r] < 0 {
			return dst, false
		}
		dst = append(dst, byte(byteOf[r]))
	}
	return dst, true
}
