// Package tokenizer turns text into the token ids of a model, and back.
//
// It carries the public encodings cl100k_base, o200k_base, p50k_base and
// r50k_base, and reads what models are published with: Hugging Face's
// tokenizer.json, SentencePiece's tokenizer.model and the rank files of
// tiktoken. [Load] finds one by name, [Template] counts what a chat template
// adds around the messages.
//
// Ids equal those of the reference implementations or there are none: a
// normalizer, pattern or model that the package does not know is refused by
// its name. The patterns that cut text into words look ahead, which package
// regexp cannot, so each known pattern has a scanner written by hand.
//
// It knows nothing of requests or measurements; synth and metrics use it.
package tokenizer

//go:generate go run generate.go
