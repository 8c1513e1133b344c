package synth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/synth"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPromptsFromACorpusAreExact(t *testing.T) {
	for name, text := range map[string]string{
		"prose":              "It was the best of times, it was the worst of times;\r\nit was the age of wisdom – and of 1,234 foolish things.\n\n\nChapter 2.",
		"code":               "func main() {\n\tfor i := range 10 {\n\t\tfmt.Println(i)    // ten\n\t}\n}\n",
		"other scripts":      "日本語のテキスト、Ελληνικά 🙂🙃 नमस्ते, e\u0301tude\u200d 👨‍👩‍👧 ﷽",
		"one word":           "word",
		"a word without end": strings.Repeat("ab9", 500),
	} {
		path := write(t, "corpus.txt", text)
		for family, tok := range map[string]synth.Tokenizer{"bytes in pairs": builtin(t, "cl100k_base"), "Unigram": unigram(t)} {
			t.Run(name+"/"+family, func(t *testing.T) {
				s := open(t, synth.Spec{
					Input: synth.Normal{Mean: 80, Stddev: 60}, Corpus: path, Prefixes: 2, PrefixTokens: 5,
				}, tok)
				seen := map[string]bool{}
				for i := range 60 {
					r := s.At(i).Turns[0]
					if got := tokens(tok, r); got != r.InputTokens {
						t.Fatalf("prompt %d has %d tokens and says %d", i, got, r.InputTokens)
					}
					seen[r.Messages[0].Content] = true
				}
				if n := s.Stats().Inexact; n != 0 {
					t.Errorf("%d prompts are not as long as was drawn", n)
				}
				if len(seen) != 60 {
					t.Errorf("%d prompts of 60 differ", len(seen))
				}
			})
		}
	}
}

func TestACorpusIsUsedAsItStands(t *testing.T) {
	text := "one two,  three\n\tfour (five) six; seven\n\neight nine ten. "
	tok := builtin(t, "cl100k_base")
	s := open(t, synth.Spec{Input: synth.Normal{Mean: 200}, Corpus: write(t, "corpus.txt", text)}, tok)
	got := s.At(0).Turns[0].Messages[0].Content
	if want := strings.TrimSpace(text); !strings.Contains(got, want) {
		t.Errorf("a prompt that is longer than the corpus does not contain it: %q", got)
	}
}

func TestABadCorpusIsRefused(t *testing.T) {
	for _, row := range []struct{ name, path, want string }{
		{"missing", filepath.Join(t.TempDir(), "none.txt"), "no such file"},
		{"blank", write(t, "blank.txt", " \n\t"), "it is empty"},
		{"UTF-16", write(t, "utf16.txt", "\xff\xfea\x00"), "it is UTF-16: save it as UTF-8"},
		{"packed", write(t, "corpus.gz", "\x1f\x8b\x08"), "it is compressed by gzip: unpack it with gunzip"},
		{"Latin-1", write(t, "latin1.txt", "one\ncaf\xe9"), "line 2: byte 0xe9 is not UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := synth.New(synth.Spec{Input: synth.Normal{Mean: 5}, Corpus: row.path}, lexicon(builtin(t, "cl100k_base")))
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), row.path) {
				t.Errorf("error %v, want %q and the file's name", err, row.want)
			}
		})
	}
}
