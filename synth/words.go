package synth

import (
	"math/bits"
	"math/rand/v2"
	"strings"
)

// Tokenizer is what synth needs of a tokenizer. Its methods are called by many
// goroutines at once. Special tokens that a model adds around a text are not
// part of it.
type Tokenizer interface {
	Encode(text string) []int
	Decode(ids []int) string
	Count(text string) int // len(Encode(text)), cheaper
	VocabSize() int        // ids are below it
}

const (
	maxWords  = 4096 // the most frequent ones: tokens with low ids
	minWords  = 256  // with fewer, words are made of syllables instead
	saltWords = 4    // words at the front of a prompt that tell it from all others
)

// words are the lower-case ASCII words of which prompts consist. Each is one
// token, alone at the start of a text or behind a space anywhere else, so that
// n of them in any order are n tokens. Both lists are powers of two long, so
// that a few bits of a random number choose one without bias.
type words struct {
	first, next         []string // "word" and " word"
	firstBits, nextBits int
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
	for id := range tok.VocabSize() {
		text := tok.Decode([]int{id})
		crossing = crossing || crosses(text)
		word := strings.TrimLeft(text, " ")
		if !isWord(word) || seen[word] || (len(w.first) >= maxWords && len(w.next) >= maxWords) {
			continue
		}
		seen[word] = true
		alone := tok.Count(word)
		if alone == 1 && len(w.first) < maxWords {
			w.first = append(w.first, word)
		}
		if tok.Count(word+" "+word) == alone+1 && len(w.next) < maxWords {
			w.next = append(w.next, " "+word)
		}
	}
	if len(w.first) < minWords || len(w.next) < minWords {
		w.first, w.next = syllables()
	}
	w.firstBits, w.nextBits = bits.Len(uint(len(w.first)))-1, bits.Len(uint(len(w.next)))-1
	w.first, w.next = w.first[:1<<w.firstBits], w.next[:1<<w.nextBits]
	w.exact = !crossing && w.keepsCount(tok)
	return w
}

// crosses reports whether a token could cover the end of a word and the space
// behind it.
func crosses(token string) bool {
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

// isWord reports whether a piece of vocabulary reads as a word.
func isWord(s string) bool {
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

// syllables makes words for a vocabulary that has none, such as one of bytes.
func syllables() (first, next []string) {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	for _, a := range consonants {
		for _, b := range vowels {
			for _, c := range consonants {
				word := string([]rune{a, b, c})
				first, next = append(first, word), append(next, " "+word)
			}
		}
	}
	return first, next
}

// keepsCount puts the words behind one another in several orders and reports
// whether each still is one token.
func (w *words) keepsCount(tok Tokenizer) bool {
	for _, word := range w.first {
		if tok.Count(word) != 1 || tok.Count(word+w.next[0]) != 2 {
			return false
		}
	}
	for _, step := range []int{1, 1021, 2713, 4093} {
		text := []byte(w.first[0])
		for i := range w.next {
			// An odd step visits each index below a power of two once.
			text = append(text, w.next[i*step&(len(w.next)-1)]...)
		}
		if tok.Count(string(text)) != 1+len(w.next) {
			return false
		}
	}
	return true
}

// capacity returns the binary logarithm of how many texts of n words differ in
// their salt.
func (w *words) capacity(n int, start bool) int {
	n = min(n, saltWords)
	if start && n > 0 {
		return w.firstBits + (n-1)*w.nextBits
	}
	return n * w.nextBits
}

// append adds n words to a text. The bits of salt choose the first few, chance
// the others.
func (w *words) append(text []byte, n int, salt uint64, rng *rand.Rand) []byte {
	for range min(n, saltWords) {
		if len(text) == 0 {
			text = append(text, w.first[salt&(1<<w.firstBits-1)]...)
			salt >>= w.firstBits
			continue
		}
		text = append(text, w.next[salt&(1<<w.nextBits-1)]...)
		salt >>= w.nextBits
	}
	var pool uint64
	left := 0
	for range n - saltWords {
		if left < w.nextBits {
			pool, left = rng.Uint64(), 64
		}
		text = append(text, w.next[pool&(1<<w.nextBits-1)]...)
		pool >>= w.nextBits
		left -= w.nextBits
	}
	return text
}
