package tokenizer_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/tokenizer"
)

// piece encodes field 1 of a ModelProto.
func piece(text string, score float32, kind byte) string {
	body := []byte{1<<3 | 2, byte(len(text))}
	body = append(body, text...)
	body = binary.LittleEndian.AppendUint32(append(body, 2<<3|5), math.Float32bits(score))
	body = append(body, 3<<3, kind)
	return string(append([]byte{1<<3 | 2, byte(len(body))}, body...))
}

// spModel is a tokenizer.model: 0 unknown, 1 beginning, 2 to 257 the bytes,
// then a few pieces.
func spModel(kind byte, normalizer string) string {
	var b strings.Builder
	b.WriteString(piece("<unk>", 0, 2) + piece("<s>", 0, 3))
	for i := range 256 {
		b.WriteString(piece(fmt.Sprintf("<0x%02X>", i), 0, 6))
	}
	for i, text := range []string{"hi", "▁hi", "▁", "h", "i", "a"} {
		b.WriteString(piece(text, float32(-1-i), 1))
	}
	b.WriteString(piece("<x>", 0, 4))
	b.WriteString("\x12\x05\x18" + string(kind) + "\x98\x02\x01") // trainer_spec: model_type, byte_fallback
	b.WriteString("\x1a" + string(byte(len(normalizer))) + normalizer)
	return b.String()
}

func TestSentencePieceModelByHand(t *testing.T) {
	// hi 258, ▁hi 259, ▁ 260, h 261, i 262, a 263, <x> 264; byte b is 2+b.
	want := []int{259, 259, 263, 264, 260, 2 + 0xc3, 2 + 0xa9}
	for name, kind := range map[string]byte{"unigram": 1, "BPE": 2} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokenizer.model")
			write(t, path, spModel(kind, "\x0a\x08identity"))
			tok, _, err := tokenizer.Load(t.Context(), path, tokenizer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tok.Encode(" hi  hia<x> é")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := tok.Decode(want); got != "hi hia<x> é" {
				t.Errorf("Decode = %q, want %q", got, "hi hia<x> é")
			}
			if token, ok := tok.Token(259); string(token) != " hi" || !ok {
				t.Errorf("Token = %q, %v; want %q", token, ok, " hi")
			}
		})
	}
}

func TestSentencePieceModelsThatCannotBeReadSaySo(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "not a SentencePiece model"},
		"noise":           {"\xff\xfe\xfd", "not a SentencePiece model"},
		"half of it":      {spModel(2, "")[:1000], "not a SentencePiece model"},
		"a length beyond": {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "not a SentencePiece model"},
		"a charsmap":      {spModel(1, "\x12\x01x"), "precompiled_charsmap"},
		"a word model":    {spModel(3, ""), "model type"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokenizer.model")
			write(t, path, c.text)
			if _, _, err := tokenizer.Load(t.Context(), path, tokenizer.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestMetaspaceCutsBeforeEachBlank(t *testing.T) {
	// As the Rust library does, where "▁▁" could be a token.
	tok, err := tokenizer.Read("metaspace", []byte(`{"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},
		"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},
		"model":{"type":"Unigram","unk_id":0,"vocab":[["?",0],["▁Hey",-1],["▁",-1],["▁▁",-1],["▁friend",-1],["!",-1]]}}`))
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode("Hey   friend!")
	if diff := cmp.Diff([]int{1, 2, 2, 4, 5}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := tok.Decode(ids); got != "Hey   friend!" {
		t.Errorf("Decode = %q, want %q", got, "Hey   friend!")
	}
}

func TestBERTDecodesToReadableText(t *testing.T) {
	tok := readReal(t, "bert-base-uncased.json")
	ids := tok.Encode("Hello, unbelievable world!")
	if got := tok.Decode(ids); got != "hello, unbelievable world!" {
		t.Errorf("Decode = %q", got)
	}
	before, after := tok.Around()
	if fmt.Sprint(before, after) != "[101] [102]" {
		t.Errorf("Around = %v, %v; want [101], [102]", before, after)
	}
}

func TestWordPieceMayTakeItsUnknownTokenFromTheAddedOnes(t *testing.T) {
	tok := readReal(t, "sentence-transformers-labse.json") // has seven words, and [UNK] beside them
	if got := fmt.Sprint(tok.Encode("[PAD] brown zebra fox [MASK]")); got != "[0 51775 100 193284 103]" {
		t.Errorf("Encode = %v, want [0 51775 100 193284 103]", got)
	}
	_, err := tokenizer.Read("odd", []byte(`{"model": {"type": "WordPiece", "vocab": {"a": 0}}, "decoder": {"type": "WordPiece"}}`))
	if err == nil || !strings.Contains(err.Error(), `unknown token "[UNK]" is neither`) {
		t.Errorf("error %v, want one about the unknown token", err)
	}
}
