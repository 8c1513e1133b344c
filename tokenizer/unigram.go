package tokenizer

import (
	"errors"
	"fmt"
	"math"
)

// A unigram picks, of all ways to spell a word in tokens, the one with the
// highest sum of scores (log probabilities). Several unknown characters in a
// row are one unknown token.
type unigram struct {
	vocab   *vocab
	scores  []float64
	unknown int32 // -1 without
	penalty float64
	bytes   *[256]int32
}

// unknownPenalty is what a character that is no token scores below the worst
// token, as in SentencePiece.
const unknownPenalty = 10

// readUnigram reads [["token", score], …].
func (t *Tokenizer) readUnigram(c modelConfig, vocabText []byte) error {
	v := newVocab(len(vocabText)/32, len(vocabText)/4)
	m := &unigram{vocab: v, unknown: -1}
	r := &jsonReader{text: vocabText}
	err := r.array(func() error {
		n := 0
		return r.array(func() error {
			switch n++; n {
			case 1:
				token, err := r.str()
				if err != nil {
					return err
				}
				id := len(v.spans)
				if err := v.put(id, string(token), true); err != nil {
					return fmt.Errorf("vocab: token %q, id %d: %w", shorten(string(token)), id, err)
				}
				return nil
			case 2:
				score, err := r.number()
				m.scores = append(m.scores, score)
				return err
			}
			return errors.New("vocab: an entry of more than a token and a score")
		})
	})
	if err != nil {
		return err
	}
	if len(m.scores) != len(v.spans) {
		return fmt.Errorf("vocab: %d tokens but %d scores", len(v.spans), len(m.scores))
	}
	if c.UnkID != nil {
		if *c.UnkID < 0 || *c.UnkID >= len(v.spans) {
			return fmt.Errorf("unk_id %d is not in the vocabulary", *c.UnkID)
		}
		m.unknown = int32(*c.UnkID)
	}
	if c.ByteFallback {
		m.bytes = v.fallback()
	}
	m.finish()
	t.vocab, t.model = v, m
	return nil
}

// finish derives the score of what is no token.
func (m *unigram) finish() {
	worst := math.Inf(1)
	for _, score := range m.scores {
		worst = min(worst, score)
	}
	m.penalty = worst - unknownPenalty
}

// A step is the best way to spell a word up to a byte.
type step struct {
	score float64
	from  int32
	id    int32 // -1 for an unknown character
}

func (m *unigram) encode(sc *scratch, ids []int32, word string) []int32 {
	sc.steps = sc.steps[:0]
	for range len(word) + 1 {
		sc.steps = append(sc.steps, step{score: math.Inf(-1)})
	}
	steps := sc.steps
	steps[0].score = 0
	for at := 0; at < len(word); {
		_, width := classAt(word, at)
		single := false
		for end := at; end < len(word) && end-at < m.vocab.index; {
			_, n := classAt(word, end)
			end += n
			id, ok := m.vocab.find(word[at:end])
			if !ok || id == m.unknown {
				continue
			}
			single = single || end == at+width
			if score := steps[at].score + m.scores[id]; score > steps[end].score {
				steps[end] = step{score, int32(at), id}
			}
		}
		if !single {
			end := at + width
			if score := steps[at].score + m.penalty; score > steps[end].score {
				steps[end] = step{score, int32(at), -1}
			}
		}
		at += width
	}
	return m.walk(sc, ids, word)
}

// walk turns the best steps, which are known from their ends, into ids.
func (m *unigram) walk(sc *scratch, ids []int32, word string) []int32 {
	sc.ends = sc.ends[:0]
	for at := int32(len(word)); at > 0; at = sc.steps[at].from {
		sc.ends = append(sc.ends, at)
	}
	afterUnknown := false
	for i := len(sc.ends) - 1; i >= 0; i-- {
		end := sc.ends[i]
		s := sc.steps[end]
		switch {
		case s.id >= 0:
			ids = append(ids, s.id)
		case m.bytes != nil:
			for _, b := range []byte(word[s.from:end]) {
				ids = append(ids, m.bytes[b])
			}
		case m.unknown >= 0 && !afterUnknown:
			ids = append(ids, m.unknown)
		}
		afterUnknown = s.id < 0
	}
	return ids
}
