package synth

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"strings"
)

// Tokenizer is what synth needs of a tokenizer. Its methods are called by many
// goroutines at once. Special tokens that a model adds around a text are not
// part of it.
type Tokenizer interface {
	Count(text string) int                       // tokens of a text
	AppendDecode(text []byte, ids ...int) []byte // appends the text of tokens
	VocabSize() int                              // ids are below it
}

// A Lexicon is a tokenizer with the words of its vocabulary that prompts
// consist of. It serves any number of sources at once.
type Lexicon struct {
	tok   Tokenizer
	words *words
}

// NewLexicon chooses the words of a tokenizer, for which it reads the whole
// vocabulary: tens of milliseconds, so that it is done once for a batch.
func NewLexicon(tok Tokenizer) *Lexicon { return &Lexicon{tok, chooseWords(tok)} }

const (
	maxWords  = 4096 // the first in the vocabulary, which are the most frequent
	minWords  = 256  // with fewer, words are made of syllables instead
	saltWords = 4    // words at the front of a prompt that tell it from all others
)

// words are the lower-case ASCII words of which prompts consist. Each is one
// token, alone at the start of a text and behind a space anywhere else, so that
// n of them in any order are n tokens.
type words struct {
	// list holds each word with a space before it. It is a power of two long,
	// so that a few bits of a random number choose one without bias.
	list []string
	bits int
	// exact says that the promise is proven for this tokenizer: each word keeps
	// it, and no token reaches from one word into the next, so that neither
	// merges nor the choice among segmentations can look beyond a space. Where
	// it is not, every text is counted and fitted.
	exact bool
}

// chooseWords takes the words from the tokenizer's own vocabulary.
func chooseWords(tok Tokenizer) *words {
	w := &words{}
	seen := make(map[string]bool)
	crossing := false
	var text []byte
	for id := range tok.VocabSize() {
		text = tok.AppendDecode(text[:0], id)
		crossing = crossing || crosses(text)
		piece := bytes.TrimLeft(text, " ")
		if len(w.list) == maxWords || !isWord(piece) || seen[string(piece)] {
			continue
		}
		word := string(piece)
		seen[word] = true
		if tok.Count(word) == 1 && tok.Count(word+" "+word) == 2 {
			w.list = append(w.list, " "+word)
		}
	}
	own := len(w.list) >= minWords
	if !own {
		w.list = syllables()
	}
	w.bits = bits.Len(uint(len(w.list))) - 1
	w.list = w.list[:1<<w.bits]
	all := strings.Join(w.list, "")
	w.exact = own && !crossing && tok.Count(all[1:]) == len(w.list)
	return w
}

// isWord reports whether a piece of vocabulary reads as a word.
func isWord(s []byte) bool {
	if len(s) < 3 || len(s) > 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// crosses reports whether a token could cover the end of a word and the space
// behind it.
func crosses(token []byte) bool {
	letter, crosses := false, false
	for i := range len(token) {
		switch c := token[i]; {
		case c >= 'a' && c <= 'z':
			letter = true
		case c == ' ':
			crosses = crosses || letter
		default:
			return false
		}
	}
	return crosses
}

// syllables makes words for a vocabulary that has none, such as one of bytes.
func syllables() []string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var list []string
	for _, a := range consonants {
		for _, b := range vowels {
			for _, c := range consonants {
				list = append(list, string([]rune{' ', a, b, c}))
			}
		}
	}
	return list
}

// append adds n words to a text. The lowest bits of salt choose the first
// saltWords of them, chance the others.
func (w *words) append(text []byte, n int, salt uint64, rng *rand.Rand) []byte {
	mask := uint64(len(w.list) - 1)
	pool, left := salt, saltWords
	for range n {
		if left == 0 {
			pool, left = rng.Uint64(), 64/w.bits
		}
		word := w.list[pool&mask]
		if len(text) == 0 {
			word = word[1:]
		}
		text = append(text, word...)
		pool >>= w.bits
		left--
	}
	return text
}

// distinct reports whether n words with a salt for each position up to this one
// are certain to be different texts.
func (w *words) distinct(position, n int) bool {
	return position>>(w.bits*min(n, saltWords)) == 0
}
