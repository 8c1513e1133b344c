package tokenizer

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// A wordPiece takes the longest token that a word begins with, then the
// longest that what is left begins with, and so on. Tokens within a word
// have a prefix. A word with a part that is no token is unknown as a whole.
type wordPiece struct {
	vocab    *vocab
	prefix   string
	unknown  int32
	maxChars int
}

func (t *Tokenizer) readWordPiece(c modelConfig, vocabText []byte) error {
	v, err := readVocab(vocabText, false)
	if err != nil {
		return err
	}
	m := &wordPiece{vocab: v, prefix: "##", maxChars: 100}
	if c.Prefix != nil {
		m.prefix = *c.Prefix
	}
	if c.MaxChars > 0 {
		m.maxChars = c.MaxChars
	}
	name := "[UNK]"
	if c.Unk != nil {
		name = *c.Unk
	}
	id, ok := v.find(name)
	for _, token := range slices.Concat(t.added.sorted, t.addedNorm.sorted) {
		// Hugging Face's JavaScript takes it from there; their Python fails at
		// the first unknown word.
		if !ok && token.content == name {
			id, ok = token.id, true
		}
	}
	if !ok {
		return fmt.Errorf("the unknown token %q is neither in the vocabulary nor added to it", name)
	}
	m.unknown = id
	t.vocab, t.model = v, m
	return nil
}

func (m *wordPiece) encode(sc *scratch, ids []int32, word string) []int32 {
	if utf8.RuneCountInString(word) > m.maxChars {
		return append(ids, m.unknown)
	}
	start := len(ids)
	for at := 0; at < len(word); {
		id, end := m.longest(sc, word, at)
		if end == at {
			return append(ids[:start], m.unknown)
		}
		ids = append(ids, id)
		at = end
	}
	return ids
}

// longest returns the longest token at word[at:] and its end; at if none.
func (m *wordPiece) longest(sc *scratch, word string, at int) (id int32, end int) {
	rest, skip := word[at:], 0
	if at > 0 {
		sc.part = append(append(sc.part[:0], m.prefix...), rest...)
		rest, skip = view(sc.part), len(m.prefix)
	}
	for n := min(len(rest), m.vocab.index); n > skip; n-- {
		if n < len(rest) && !utf8.RuneStart(rest[n]) {
			continue
		}
		if id, ok := m.vocab.find(rest[:n]); ok {
			return id, at + n - skip
		}
	}
	return 0, at
}
