package tokenizer

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// The vocabularies as generate.go packed them; a page of them that nobody
// asks for is never read.
var (
	//go:embed data/cl100k_base.bin
	cl100kData []byte
	//go:embed data/o200k_base.bin
	o200kData []byte
	//go:embed data/p50k_base.bin
	p50kData []byte
)

// An encoding is one of those that OpenAI published with tiktoken.
type encoding struct {
	packed  []byte
	scan    scanner
	tokens  int // so many of the packed tokens; 0 is all
	special map[int]string
}

var encodings = map[string]encoding{
	"cl100k_base": {packed: cl100kData, scan: cl100k(3, letter), special: map[int]string{
		100257: "<|endoftext|>", 100258: "<|fim_prefix|>", 100259: "<|fim_middle|>", 100260: "<|fim_suffix|>", 100276: "<|endofprompt|>",
	}},
	"o200k_base": {packed: o200kData, scan: o200k(3, true, 0), special: map[int]string{
		199999: "<|endoftext|>", 200018: "<|endofprompt|>",
	}},
	"p50k_base": {packed: p50kData, scan: gpt2, special: map[int]string{50256: "<|endoftext|>"}},
	// GPT-2's vocabulary; p50k_base adds to it runs of blanks.
	"r50k_base": {packed: p50kData, scan: gpt2, tokens: 50256, special: map[int]string{50256: "<|endoftext|>"}},
	"gpt2":      {packed: p50kData, scan: gpt2, tokens: 50256, special: map[int]string{50256: "<|endoftext|>"}},
}

// Builtins returns the names that [Builtin] knows, sorted.
func Builtins() []string { return slices.Sorted(maps.Keys(encodings)) }

// Builtin returns a tokenizer that needs no file: cl100k_base, o200k_base,
// p50k_base, or r50k_base, also called gpt2.
func Builtin(name string) (*Tokenizer, error) {
	e, ok := encodings[name]
	if !ok {
		return nil, fmt.Errorf("no built-in tokenizer %q: there are %q", name, Builtins())
	}
	v := unpack(e.packed, e.tokens)
	return newRanked(name, v, e.scan, e.special)
}

// newRanked makes a tokenizer in the manner of tiktoken, where the id of a
// token is also the rank of its merge.
func newRanked(name string, v *vocab, scan scanner, special map[int]string) (*Tokenizer, error) {
	letters, err := v.letters()
	if err != nil {
		return nil, err
	}
	return &Tokenizer{
		name:     name,
		contents: special,
		stages:   []stage{{cut: keepAll(scan)}},
		model:    &bpe{vocab: v, letters: letters, unknown: -1, anyWhole: true},
		vocab:    v,
		whole:    true,
		cache:    new(cache),
	}, nil
}

// unpack reads what generate.go packed, the first so many tokens or all.
func unpack(packed []byte, most int) *vocab {
	count := binary.LittleEndian.Uint32(packed)
	lengths, blob := packed[8:8+count], packed[8+count:]
	if most > 0 {
		lengths = lengths[:most]
	}
	v := newVocab(len(lengths), 0)
	v.blob = blob
	at := uint32(0)
	for id, n := range lengths {
		v.spans = append(v.spans, span{at, uint32(n)})
		at += uint32(n)
		if n > 0 {
			v.place(id)
		}
	}
	return v
}

// letters returns the ids of the 256 bytes.
func (v *vocab) letters() (*[256]int32, error) {
	var ids [256]int32
	for b := range ids {
		id, ok := v.find(string([]byte{byte(b)}))
		if !ok {
			return nil, fmt.Errorf("no token for byte %#02x", b)
		}
		ids[b] = id
	}
	return &ids, nil
}

// keepAll makes a cutter of a scanner.
func keepAll(scan scanner) cutter {
	return func(s string, i int) (int, bool) { return scan(s, i), true }
}
