package synth_test

import (
	"fmt"
	"testing"

	"loadgen/synth"
)

func BenchmarkPrompt(b *testing.B) {
	tok := builtin(b, "cl100k_base")
	for _, length := range []int{16, 1000, 100_000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			s := open(b, synth.Spec{Input: synth.Normal{Mean: float64(length)}}, tok)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.At(i)
				i++
			}
		})
	}
}

func BenchmarkNewLexicon(b *testing.B) {
	for _, encoding := range []string{"cl100k_base", "o200k_base"} {
		tok := builtin(b, encoding)
		b.Run(encoding, func(b *testing.B) {
			for b.Loop() {
				synth.NewLexicon(tok)
			}
		})
	}
}
