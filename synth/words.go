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
	// list is a power of two long, so that a few bits of a random number choose
	// a word without bias.
	list []word
	bits int
	// exact says that the promise is proven for this tokenizer: each word keeps
	// it, and no token reaches from one word into the next, so that neither
	// merges nor the choice among segmentations can look beyond a space. Where
	// it is not, every text is counted and fitted.
	exact bool
}

// A word is a word with the space before it, in a block of one size for all. To
// copy the whole block and then drop what is behind the word takes two moves;
// to copy as many bytes as the word has takes branches that cannot be foreseen.
type word struct {
	block [15]byte // more than maxLetters and the space
	size  uint8
}

const minLetters, maxLetters = 3, 12

func newWord(letters string) word {
	var w word
	w.size = uint8(copy(w.block[:], " "+letters))
	return w
}

// text returns the word with the space before it.
func (w *word) text() []byte { return w.block[:w.size] }

// chooseWords takes the words from the tokenizer's own vocabulary.
func chooseWords(tok Tokenizer) *words {
	w := &words{}
	seen := make(map[string]bool)
	crossing := false
	var list []string
	var text []byte
	for id := range tok.VocabSize() {
		text = tok.AppendDecode(text[:0], id)
		crossing = crossing || crosses(text)
		piece := bytes.TrimLeft(text, " ")
		if len(list) == maxWords || !isWord(piece) || seen[string(piece)] {
			continue
		}
		word := string(piece)
		seen[word] = true
		if tok.Count(word) == 1 && tok.Count(word+" "+word) == 2 {
			list = append(list, word)
		}
	}
	own := len(list) >= minWords
	if !own {
		list = syllables()
	}
	w.bits = bits.Len(uint(len(list))) - 1
	list = list[:1<<w.bits]
	w.exact = own && !crossing && tok.Count(strings.Join(list, " ")) == len(list)
	for _, letters := range list {
		w.list = append(w.list, newWord(letters))
	}
	return w
}

// isWord reports whether a piece of vocabulary reads as a word.
func isWord(s []byte) bool {
	if len(s) < minLetters || len(s) > maxLetters {
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
				list = append(list, string([]rune{a, b, c}))
			}
		}
	}
	return list
}

// append adds n words to a text. The lowest bits of salt choose the first
// saltWords of them, chance the others.
func (w *words) append(text []byte, n int, salt uint64, rng *rand.PCG) []byte {
	mask, draw := uint64(len(w.list)-1), 64/w.bits
	pool, left := salt, saltWords
	for range n {
		if left == 0 {
			pool, left = rng.Uint64(), draw
		}
		if word := &w.list[pool&mask]; len(text) == 0 {
			text = append(text, word.text()[1:]...)
		} else {
			text = append(text, word.block[:]...)[:len(text)+int(word.size)]
		}
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
