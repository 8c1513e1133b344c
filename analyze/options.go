package analyze

import "loadgen"

// Options choose the analyses and their thresholds. The zero value runs
// nothing; start from [Defaults].
type Options struct {
	// AIQ computes every figure as the toolkit does, its faults included, for
	// those who compare with older files. Otherwise the numbers are sound.
	AIQ bool

	// The analyses, by AIQ's names.
	TokenUniqueness bool
	WorkflowRuntime bool
	Nova            bool // compute_llm_metrics
	CommonPrefixes  bool
	SimpleStack     bool
	NestedStack     bool
	Spikes          bool
	PrefixSpan      bool
	PredictionTrie  bool

	// Phases adds connect, prefill and decode to [Events], as spans under their
	// calls.
	Phases bool

	// MinFrequency is the share of calls that must begin with a prefix.
	MinFrequency float64
	// SpikeThreshold is the level from which it is called a spike; 0 takes the
	// p90 of the level over time, rounded up.
	SpikeThreshold int
	// MinSupport is the number of sessions a pattern must occur in, or below 1
	// their share.
	MinSupport  float64
	MinCoverage float64 // share of sessions with the pattern's calls back to back
	MaxTextLen  int     // characters of a prompt that tell calls apart in patterns
	TopK        int     // patterns listed

	// Sensitivity are the scale and weights of the prediction trie.
	Sensitivity Sensitivity
	// GeneratedAt is the ISO 8601 time to write into the prediction trie.
	GeneratedAt string

	// SlowSeconds is the average above which an operation is a bottleneck.
	SlowSeconds float64
	// Burst says when calls of one session count as fired in a burst.
	Burst Burst

	// Limit bounds every list that grows with the number of calls: nodes, ids
	// in a spike, prefixes. What is left out is counted. 0 has no bound.
	Limit int

	// Encode turns a text into tokens, for exact blocks of the prefix cache;
	// nil takes blocks of text bytes.
	Encode func(text string) []int
	// BlockTokens is the server's cache block.
	BlockTokens int

	// Seed feeds the bootstrap.
	Seed loadgen.Seed
}

// Defaults returns options with every analysis on and the thresholds that are
// documented.
func Defaults() Options {
	return Options{
		TokenUniqueness: true,
		WorkflowRuntime: true,
		Nova:            true,
		CommonPrefixes:  true,
		SimpleStack:     true,
		NestedStack:     true,
		Spikes:          true,
		PrefixSpan:      true,
		PredictionTrie:  true,
		MinFrequency:    0.5,
		MinSupport:      2,
		MaxTextLen:      1000,
		TopK:            10,
		Sensitivity:     Sensitivity{Scale: 5, Critical: 0.5, Fanout: 0.3, Position: 0.2, Auto: true},
		SlowSeconds:     1,
		Burst:           Burst{Gap: 0.1, Size: 5, Ops: 10},
		Limit:           1000,
		BlockTokens:     16,
	}
}

// limit cuts a count to Options.Limit.
func (o *Options) limit(n int) int {
	if o.Limit > 0 && !o.AIQ {
		return min(n, o.Limit)
	}
	return n
}
