package tokenizer

import (
	"sync"
	"unsafe"
)

// A Tokenizer turns text into token ids and ids into text. Many goroutines
// may use one at the same time. Make one with [Load], [Builtin] or [Read].
type Tokenizer struct {
	name      string
	added     addedTokens // found in the text as it is
	addedNorm addedTokens // found in the normalized text
	contents  map[int]string
	normalize []normalizer
	stages    []stage
	model     model
	vocab     *vocab
	whole     bool // a word that is a token is that token: ask before the cache
	cache     *cache
	around    [2][]int
	decode    decoder
}

// A model appends the ids of one word to ids.
type model interface {
	encode(sc *scratch, ids []int32, word string) []int32
}

// Name returns the name under which the tokenizer was loaded.
func (t *Tokenizer) Name() string { return t.name }

// VocabSize returns one more than the highest id, added tokens included.
func (t *Tokenizer) VocabSize() int {
	size := len(t.vocab.spans)
	for id := range t.contents {
		size = max(size, id+1)
	}
	return size
}

// Encode returns the ids of text. Special tokens that a file declares are
// recognized in it, as servers do; the built-in encodings take all text as
// ordinary. None is put around it: see [Tokenizer.Around].
func (t *Tokenizer) Encode(text string) []int { return t.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (t *Tokenizer) AppendEncode(dst []int, text string) []int {
	sc := scratches.Get().(*scratch)
	sc.out, sc.keep = dst, true
	t.encode(sc, text)
	dst = sc.out
	sc.release()
	return dst
}

// Count returns the number of ids that Encode would return.
func (t *Tokenizer) Count(text string) int {
	sc := scratches.Get().(*scratch)
	sc.n, sc.keep = 0, false
	t.encode(sc, text)
	n := sc.n
	sc.release()
	return n
}

// CountBytes is Count without the copy that makes a string of text.
func (t *Tokenizer) CountBytes(text []byte) int { return t.Count(view(text)) }

// Around returns the special tokens that the model expects before and after
// a text, such as the beginning of a sequence, as the file's post-processor
// says. A server adds them to a plain prompt; a chat template writes its own.
func (t *Tokenizer) Around() (before, after []int) { return t.around[0], t.around[1] }

// Token returns the text that an id adds to what is decoded before it: raw
// bytes, which need not be UTF-8. It reports false for an id that is unused,
// special or added. The bytes must not be changed.
func (t *Tokenizer) Token(id int) ([]byte, bool) {
	raw := t.vocab.bytes(id)
	if _, isAdded := t.contents[id]; isAdded || len(raw) == 0 {
		return nil, false
	}
	return t.decode.token(nil, raw), true
}

// Decode returns the text of ids, special tokens included. Ids that do not
// exist are left out.
func (t *Tokenizer) Decode(ids []int) string { return string(t.AppendDecode(nil, ids...)) }

// AppendDecode appends the text of ids to dst.
func (t *Tokenizer) AppendDecode(dst []byte, ids ...int) []byte {
	start := len(dst)
	for _, id := range ids {
		if content, isAdded := t.contents[id]; isAdded {
			dst = t.decode.special(dst, content)
		} else if raw := t.vocab.bytes(id); len(raw) > 0 {
			dst = t.decode.token(dst, raw)
		}
	}
	return t.decode.finish(dst, start)
}

// A scratch is what one call of encode works with.
type scratch struct {
	out    []int // what AppendEncode returns
	keep   bool  // append to out, rather than count in n
	n      int
	ids    []int32
	pieces []piece
	heap   heap
	steps  []step
	ends   []int32
	part   []byte
	texts  [][]byte // the text that each stage wrote
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// release gives the scratch back, unless a huge word has blown it up.
func (sc *scratch) release() {
	sc.out = nil
	if max(cap(sc.pieces), cap(sc.steps)) < 1<<16 {
		scratches.Put(sc)
	}
}

func (sc *scratch) emit(ids ...int32) {
	if !sc.keep {
		sc.n += len(ids)
		return
	}
	for _, id := range ids {
		sc.out = append(sc.out, int(id))
	}
}

// encode emits the ids of text.
func (t *Tokenizer) encode(sc *scratch, text string) {
	for at := 0; at < len(text); {
		found := t.added.next(text, at)
		if found.start > at {
			t.encodePlain(sc, text[at:found.start], at == 0)
		}
		if found.end > found.start {
			sc.emit(found.id)
		}
		at = found.end
	}
}

// encodePlain emits the ids of a text without tokens that stand for
// themselves; first says that no text comes before it.
func (t *Tokenizer) encodePlain(sc *scratch, text string, first bool) {
	for _, normalize := range t.normalize {
		text = normalize(text)
	}
	for at := 0; at < len(text); {
		found := t.addedNorm.next(text, at)
		if found.start > at {
			t.cut(sc, 0, text[at:found.start], first && at == 0)
		}
		if found.end > found.start {
			sc.emit(found.id)
		}
		at = found.end
	}
}

// A stage of the pre-tokenizer rewrites a text, if it has a rewriter, and
// cuts it, if it has a cutter, for the next stage.
type stage struct {
	rewrite func(dst []byte, s string, first bool) []byte
	cut     cutter
}

// A cutter returns the end of the part of s that begins at i, and whether
// that part is kept.
type cutter func(s string, i int) (end int, kept bool)

// cut passes text through the stages from the given one on.
func (t *Tokenizer) cut(sc *scratch, level int, text string, first bool) {
	if level == len(t.stages) {
		t.encodeWord(sc, text)
		return
	}
	st := &t.stages[level]
	if st.rewrite != nil {
		for len(sc.texts) <= level {
			sc.texts = append(sc.texts, nil)
		}
		sc.texts[level] = st.rewrite(sc.texts[level][:0], text, first)
		text = view(sc.texts[level])
	}
	if st.cut == nil {
		t.cut(sc, level+1, text, first)
		return
	}
	for i := 0; i < len(text); {
		end, kept := st.cut(text, i)
		if kept {
			t.cut(sc, level+1, text[i:end], first && i == 0)
		}
		i = end
	}
}

// encodeWord emits the ids of one word.
func (t *Tokenizer) encodeWord(sc *scratch, word string) {
	if len(word) > longestCached {
		sc.ids = t.model.encode(sc, sc.ids[:0], word)
		sc.emit(sc.ids...)
		return
	}
	hash := t.vocab.hash(word)
	if t.whole {
		if id, ok := t.vocab.findHashed(word, hash); ok {
			sc.emit(id)
			return
		}
	}
	slot := t.cache.slot(hash)
	if known := slot.Load(); known != nil && known.word == word {
		sc.emit(known.ids...)
		return
	}
	sc.ids = t.model.encode(sc, sc.ids[:0], word)
	slot.Store(newEntry(word, sc.ids))
	sc.emit(sc.ids...)
}

// view reads bytes as a string without copying them. It is for strings that
// nobody keeps and bytes that nobody changes meanwhile.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
