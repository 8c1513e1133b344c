package tokenizer_test

import (
	"sync"
	"testing"
	"unicode/utf8"

	"loadgen/tokenizer"
)

var fuzzed = sync.OnceValue(func() []*tokenizer.Tokenizer {
	var list []*tokenizer.Tokenizer
	for _, name := range []string{"cl100k_base", "o200k_base", "p50k_base", "r50k_base"} {
		tok, err := tokenizer.Builtin(name)
		if err != nil {
			panic(err)
		}
		list = append(list, tok)
	}
	return list
})

func FuzzDecodeUndoesEncode(f *testing.F) {
	for _, seed := range []string{"", "Hello, world!", "\xff\xfe broken \xe4\xb8", "it's  \r\n\t 12345½ ", "ABC\u0301 ǅ中文か", "<|endoftext|>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range fuzzed() {
			ids := tok.Encode(text)
			if got := tok.Decode(ids); got != text {
				t.Errorf("%s: %q became %q", tok.Name(), text, got)
			}
			if n := tok.CountBytes([]byte(text)); n != len(ids) {
				t.Errorf("%s: CountBytes(%q) = %d, want %d", tok.Name(), text, n, len(ids))
			}
			joined := ""
			for _, id := range ids {
				token, _ := tok.Token(id)
				joined += string(token)
			}
			if joined != text {
				t.Errorf("%s: the tokens of %q spell %q", tok.Name(), text, joined)
			}
		}
	})
}

func FuzzReadTakesAnyFile(f *testing.F) {
	f.Add([]byte(tiny), "hi there<end>")
	f.Add([]byte(`{"pre_tokenizer":{"type":"Metaspace","replacement":"▁"},"decoder":{"type":"Metaspace","replacement":"▁"},"model":{"type":"Unigram","unk_id":0,"vocab":[["?",0],["▁a",-1],["b",-2]]}}`), " ab  c")
	f.Add([]byte(`{"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##"},"model":{"type":"WordPiece","unk_token":"?","vocab":{"?":0,"a":1,"##b":2}}}`), "Ab, c")
	f.Add([]byte(`{"decoder":{"type":"ByteFallback"},"model":{"type":"BPE","byte_fallback":true,"vocab":{"a":0,"▁":1,"▁a":2},"merges":[["▁","a"]]}}`), "▁a▁a")
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		tok, err := tokenizer.Read("fuzz", file)
		if err != nil {
			return
		}
		ids := tok.Encode(text)
		if n := tok.Count(text); n != len(ids) {
			t.Errorf("Count = %d, Encode gave %d ids", n, len(ids))
		}
		for _, id := range ids {
			if id < 0 || id >= tok.VocabSize() {
				t.Errorf("id %d is not in the vocabulary of %d", id, tok.VocabSize())
			}
		}
		if got := tok.Decode(ids); utf8.ValidString(text) && len(got) > 100*(len(text)+1)*(len(file)+1) {
			t.Errorf("%d bytes became %d", len(text), len(got))
		}
	})
}
