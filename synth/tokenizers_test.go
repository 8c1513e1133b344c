package synth_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"loadgen/synth"
	"loadgen/tokenizer"
)

// vocabulary is some words, of which minTokens and more are whole tokens.
func vocabulary() []string {
	var words []string
	for _, a := range "bdfgklmn" {
		for _, b := range "aeiou" {
			for _, c := range "prstvz" {
				for _, d := range "aeo" {
					words = append(words, string([]rune{a, b, c, d}))
				}
			}
		}
	}
	return words
}

func readJSON(t *testing.T, name string, file map[string]any) synth.Tokenizer {
	t.Helper()
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Read(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func wordPiece(t *testing.T) synth.Tokenizer {
	vocab := map[string]int{"[UNK]": 0}
	for _, w := range vocabulary() {
		vocab[w] = len(vocab)
	}
	for c := 'a'; c <= 'z'; c++ {
		vocab[string(c)], vocab["##"+string(c)] = len(vocab), len(vocab)+1
	}
	return readJSON(t, "wordpiece", map[string]any{
		"normalizer":    map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
		"decoder":       map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": map[string]any{
			"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
			"max_input_chars_per_word": 100, "vocab": vocab,
		},
	})
}

func unigram(t *testing.T, extra ...string) synth.Tokenizer {
	vocab := [][]any{{"<unk>", 0.0}}
	for i, w := range vocabulary() {
		vocab = append(vocab, []any{"▁" + w, -5 - float64(i)/1000})
	}
	for _, w := range extra {
		vocab = append(vocab, []any{w, -6.0})
	}
	for c := 'a'; c <= 'z'; c++ {
		vocab = append(vocab, []any{string(c), -12.0}, []any{"▁" + string(c), -13.0})
	}
	vocab = append(vocab, []any{"▁", -14.0})
	space := map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false}
	return readJSON(t, "unigram", map[string]any{
		"pre_tokenizer": space, "decoder": space,
		"model": map[string]any{"type": "Unigram", "unk_id": 0, "vocab": vocab},
	})
}

// byteTokens has a token for each byte, and no words.
type byteTokens struct{}

func (byteTokens) Encode(text string) []int {
	ids := make([]int, len(text))
	for i := range ids {
		ids[i] = int(text[i])
	}
	return ids
}

func (byteTokens) AppendDecode(text []byte, ids ...int) []byte {
	for _, id := range ids {
		text = append(text, byte(id))
	}
	return text
}

func (byteTokens) Count(text string) int { return len(text) }
func (byteTokens) VocabSize() int        { return 256 }

// pairs counts two tokens for each word: no text has an odd number of them.
type pairs struct{}

func (pairs) Encode(text string) []int {
	var ids []int
	for i := range strings.Fields(text) {
		ids = append(ids, 2*i, 2*i+1)
	}
	return ids
}

func (pairs) AppendDecode(text []byte, ids ...int) []byte {
	return append(text, strings.Repeat(" bab", len(ids)/2)...)
}

func (p pairs) Count(text string) int { return len(p.Encode(text)) }
func (pairs) VocabSize() int          { return 0 }

func TestPromptsAreExactForOtherTokenizers(t *testing.T) {
	first := vocabulary()
	for name, tok := range map[string]synth.Tokenizer{
		"WordPiece":                    wordPiece(t),
		"Unigram":                      unigram(t),
		"Unigram that crosses a space": unigram(t, "▁"+first[3]+"▁"+first[5], first[7]+"▁"),
		"bytes":                        byteTokens{},
	} {
		for _, length := range []int{1, 2, 7, 300} {
			t.Run(fmt.Sprintf("%s/%d", name, length), func(t *testing.T) {
				s := open(t, synth.Spec{Input: synth.Normal{Mean: float64(length)}, SystemTokens: 9}, tok)
				for i := range 40 {
					r := s.At(i).Turns[0]
					if got := tokens(tok, r); got != length+9 || r.InputTokens != got {
						t.Fatalf("prompt %d has %d tokens and says %d, want %d: %.200q", i, got, r.InputTokens, length+9, r.Messages)
					}
				}
			})
		}
	}
}

func TestATokenizerThatCannotBeExactSaysSo(t *testing.T) {
	s := open(t, synth.Spec{Input: synth.Normal{Mean: 7}}, pairs{})
	r := s.At(0).Turns[0]
	if got := tokens(pairs{}, r); r.InputTokens != got || got < 6 || got > 8 {
		t.Errorf("the prompt has %d tokens and says %d, want 6 or 8", got, r.InputTokens)
	}
	if got := s.Stats().Inexact; got != 1 {
		t.Errorf("%d inexact prompts are counted, want 1", got)
	}
}
