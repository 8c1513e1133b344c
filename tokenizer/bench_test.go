package tokenizer_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"loadgen/tokenizer"
)

// prose returns about 200 kB of sentences of common English words.
func prose() string {
	words := strings.Fields("the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know")
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 200_000 {
		for i := range 12 {
			word := words[rng.IntN(len(words))]
			if i == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			}
			b.WriteString(word)
			b.WriteString([]string{" ", " ", " ", ", "}[rng.IntN(4)])
		}
		b.WriteString("as we said.\n")
	}
	return b.String()
}

func BenchmarkEncode(b *testing.B) {
	text := prose()
	for _, name := range []string{"cl100k_base", "o200k_base", "r50k_base", "Meta-Llama-3-8B-Instruct.json", "cohere-tokenizer.json", "bert-base-uncased.json"} {
		tok, err := tokenizer.Builtin(name)
		if err != nil {
			tok = readReal(b, name)
		}
		b.Run(name, func(b *testing.B) {
			var ids []int
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				ids = tok.AppendEncode(ids[:0], text)
			}
		})
	}
}

func BenchmarkCount(b *testing.B) {
	text := []byte(prose())
	tok := builtin(b, "o200k_base")
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.CountBytes(text)
	}
}

// BenchmarkEncodeUnseen never meets a word twice: the cache is of no use.
func BenchmarkEncodeUnseen(b *testing.B) {
	tok := builtin(b, "o200k_base")
	rng := rand.New(rand.NewPCG(1, 2))
	letters := make([]byte, 1<<20)
	var ids []int
	b.ReportAllocs()
	b.SetBytes(int64(len(letters)))
	for b.Loop() {
		b.StopTimer()
		for i := range letters {
			letters[i] = "etaoinshrdlu    "[rng.IntN(16)]
		}
		text := string(letters)
		b.StartTimer()
		ids = tok.AppendEncode(ids[:0], text)
	}
}

// BenchmarkMemory reports what a loaded tokenizer keeps.
func BenchmarkMemory(b *testing.B) {
	for _, name := range []string{"cl100k_base", "o200k_base", "Meta-Llama-3-8B-Instruct.json"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := liveBytes()
				tok, err := tokenizer.Builtin(name)
				if err != nil {
					tok, _, err = tokenizer.Load(b.Context(), realFile(b, name), tokenizer.Options{})
				}
				if err != nil {
					b.Fatal(err)
				}
				tok.Count(prose())
				b.ReportMetric(float64(liveBytes()-before)/(1<<20), "MiB")
				runtime.KeepAlive(tok)
			}
		})
	}
}

func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
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
