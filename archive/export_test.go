package archive

import (
	"sync"

	"loadgen/runner"
	"loadgen/synth"
	"loadgen/tokenizer"
)

// Vocabulary is that of all tests, read once: it is large.
var Vocabulary = sync.OnceValue(func() *runner.Vocabulary {
	tok, err := tokenizer.Builtin("cl100k_base")
	if err != nil {
		panic(err)
	}
	return &runner.Vocabulary{Tokenizer: tok, Name: "cl100k_base", Lexicon: synth.NewLexicon(tok)}
})
