package tokenizer_test

import (
	"os"
	"path/filepath"
	"testing"

	"loadgen/tokenizer"
)

func BenchmarkEncode(b *testing.B) {
	prose, _ := os.ReadFile(filepath.Join(os.Getenv("HOME"), "go/pkg/mod/github.com/daulet/tokenizers@v1.24.0/test/data/long_text.txt"))
	for _, name := range tokenizer.Builtins() {
		b.Run(name, func(b *testing.B) {
			tok, err := tokenizer.Builtin(name)
			if err != nil {
				b.Fatal(err)
			}
			var ids []int
			b.ReportAllocs()
			b.SetBytes(int64(len(prose)))
			for b.Loop() {
				ids = tok.AppendEncode(ids[:0], string(prose))
			}
		})
	}
}

func BenchmarkLoadBuiltin(b *testing.B) {
	for _, name := range tokenizer.Builtins() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokenizer.Builtin(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoadFile(b *testing.B) {
	for _, name := range []string{"Meta-Llama-3-8B-Instruct.json", "cohere-tokenizer.json", "bert-base-uncased.json"} {
		b.Run(name, func(b *testing.B) {
			text, err := os.ReadFile(realFile(b, name))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := tokenizer.Read(name, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
