package tokenizer

// A normalizer rewrites a text before it is cut into words.
type normalizer func(string) string
