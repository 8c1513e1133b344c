package synth

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"loadgen"
)

// A writer writes texts of an exact number of tokens.
type writer struct {
	tok    Tokenizer
	words  *words
	corpus *corpus // nil: texts are words of the vocabulary
	flat   bool    // the endpoint takes one text, not messages
	phase  loadgen.Phase

	systemTokens, prefixes, prefixTokens int

	system   string // the shared system prompt
	systemIs int    // its true length
	mul, add uint64 // of the walk through all salts

	prefix, block loadgen.Stream // of the texts of prefixes and of blocks

	buffers sync.Pool // of *[]byte; see borrow
}

// bytesPerWord is about what a word and the space before it take.
const bytesPerWord = 8

func newWriter(spec Spec, lex *Lexicon) (*writer, error) {
	corpus, err := openCorpus(spec.Corpus)
	if err != nil {
		return nil, err
	}
	words := spec.words()
	walk := words.Rand("prompt.salt")
	w := &writer{
		tok: lex.tok, words: lex.words, corpus: corpus,
		flat: spec.Completions, phase: spec.Phase,
		systemTokens: spec.SystemTokens, prefixes: spec.Prefixes, prefixTokens: spec.PrefixTokens,
		mul: walk.Uint64() | 1, add: walk.Uint64(),
		prefix: words.Stream("prompt.prefix"), block: words.Stream("prompt.block"),
	}
	rng := words.Stream("prompt.system").At(0)
	text := w.words.append(nil, spec.SystemTokens, rng.Uint64(), &rng)
	w.system, w.systemIs = w.fit(text, spec.SystemTokens, &rng)
	return w, nil
}

// salt returns the number that sets the prompt at a position apart from all
// others of the run: a walk with an odd stride through the residues of 2⁶⁴,
// which repeats itself in the lowest n bits only after 2ⁿ positions. Warm-up
// walks backwards from the start, so that it stays clear of the measured
// prompts.
func (w *writer) salt(position int) uint64 {
	at := uint64(position)
	if w.phase == loadgen.Warmup {
		at = ^at
	}
	return w.mul*at + w.add
}

// opening appends the messages of a session's first turn: the system prompt, the
// prefix of that number in the pool, and n tokens of its own. It returns how
// many tokens they truly have and how many they should.
func (w *writer) opening(messages []loadgen.Message, position, n, prefix int, rng *rand.PCG) (longer []loadgen.Message, tokens, target int) {
	buffer := w.borrow(w.systemTokens + w.prefixTokens + n)
	defer w.buffers.Put(buffer)
	text := *buffer
	if w.systemTokens > 0 {
		if w.flat {
			text = append(text, w.system...)
		} else {
			messages = append(messages, loadgen.Message{Role: "system", Content: w.system})
			tokens = w.systemIs
		}
	}
	target = w.systemTokens + n
	own := target - tokens
	if w.prefixes > 0 {
		// A prefix is made anew each time, which needs no memory, however large
		// the pool. Its walk starts elsewhere than that of the prompts.
		of := w.prefix.At(prefix)
		text = w.words.append(text, w.prefixTokens, w.mul*uint64(prefix)+^w.add, &of)
		target += w.prefixTokens
		own += w.prefixTokens
	}
	content, count := w.own(text, n, own, w.salt(position), rng)
	return append(messages, loadgen.Message{Role: "user", Content: content}), tokens + count, target
}

// blocks writes n tokens that begin with the given blocks: texts with the same
// ids in front begin with the same tokens, in every run with the same seed.
func (w *writer) blocks(ids []int64, size, n, position int, rng *rand.PCG) (string, int) {
	buffer := w.borrow(n)
	defer w.buffers.Put(buffer)
	text, rest := *buffer, n
	for _, id := range ids {
		of := w.block.At(int(id))
		text = w.words.append(text, min(size, rest), of.Uint64(), &of)
		rest -= min(size, rest)
	}
	return w.own(text, rest, n, w.salt(position), rng)
}

// text writes n tokens that are like no others by chance alone.
func (w *writer) text(n int, rng *rand.PCG) (string, int) {
	buffer := w.borrow(n)
	defer w.buffers.Put(buffer)
	return w.own(*buffer, n, n, rng.Uint64(), rng)
}

// borrow returns an empty buffer in which a text of about n tokens is put
// together; it goes back when the text is finished.
func (w *writer) borrow(n int) *[]byte {
	b, ok := w.buffers.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	*b = slices.Grow((*b)[:0], bytesPerWord*n)
	return b
}

// own puts n tokens behind a prefix, so that all is total tokens, and returns
// the text and its true count.
func (w *writer) own(prefix []byte, n, total int, salt uint64, rng *rand.PCG) (string, int) {
	if w.corpus == nil {
		text := w.words.append(prefix, n, salt, rng)
		if w.words.exact {
			return string(text), total
		}
		return w.fit(text, total, rng)
	}
	text := w.words.append(prefix, min(n, saltWords), salt, rng)
	if n > saltWords {
		text = w.corpus.append(text, n-saltWords, rng)
	}
	return w.fit(text, total, rng)
}

// fit makes a text exactly n tokens long and returns it with its true count: n,
// or the nearest that could be had where the tokenizer has no text of n tokens
// that begins like this one.
//
// Too long a text is cut, too short a one gets words at its end. The seam can
// disturb the tokens around it: each round leaves one more of them to the words.
func (w *writer) fit(text []byte, n int, rng *rand.PCG) (string, int) {
	const rounds = 8 // in each of two ways to cut
	whole := string(text)
	total := w.tok.Count(whole)
	best, bestCount := whole, total
	for round := range 2 * rounds {
		if bestCount == n {
			break
		}
		now, count := whole, total
		if want := max(0, n-round%rounds); count > want {
			// Chat templates may drop white space at the end, so that some is
			// left there only when nothing else was exact.
			now, count = w.cut(whole, total, want, round < rounds)
		}
		if count < n {
			now = string(w.words.append([]byte(now), n-count, rng.Uint64(), rng))
			count = w.tok.Count(now)
		}
		if total < n && count > n {
			whole, total = now, count // enough to cut from
		}
		if distance(count, n) < distance(bestCount, n) {
			best, bestCount = now, count
		}
	}
	return best, bestCount
}

// cut returns a beginning of a text of total tokens that has n tokens, or fewer
// where no place to cut gives n. It looks for the place by interpolation, and by
// halves where that does not come near.
func (w *writer) cut(text string, total, n int, trim bool) (string, int) {
	const rounds, interpolated = 40, 8
	low, lowCount, high, highCount := 0, 0, len(text), total
	head := ""
	for round := 0; round < rounds && lowCount < n; round++ {
		at := (low + high) / 2
		if round < interpolated {
			at = low + int(float64(high-low)*float64(n-lowCount)/float64(highCount-lowCount))
		}
		at = max(at, low+1)
		for at < high && !utf8.RuneStart(text[at]) {
			at++
		}
		if at >= high {
			break
		}
		now := text[:at]
		if trim {
			now = strings.TrimRight(now, " \t\r\n")
		}
		if count := w.tok.Count(now); count <= n {
			low, lowCount, head = at, count, now
		} else {
			high, highCount = at, count
		}
	}
	return head, lowCount
}

func distance(a, b int) int { return max(a-b, b-a) }
