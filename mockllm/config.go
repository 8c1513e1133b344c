package mockllm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timing models.
const (
	// Batching couples the requests as a real engine does.
	Batching = "batching"
	// Fixed makes every request take exactly TTFT and ITL, whatever the load.
	Fixed = "fixed"
)

// A Config describes a simulated endpoint. Start from [DefaultConfig]; the
// zero value is valid too, but is an endpoint that takes no time.
type Config struct {
	// Models are the models served; a request for another is answered with
	// 404. Default none: any name is served.
	Models []string `yaml:"models"`
	// APIKey is the bearer token that /v1 asks for. Default none.
	APIKey string `yaml:"api_key"`
	// Seed is the root of all chance: jitter, output lengths, faults.
	// Default 0.
	Seed uint64 `yaml:"seed"`

	// Timing is "batching" (default) or "fixed".
	Timing string `yaml:"timing"`
	// TTFT is, with fixed timing, the time from the request's arrival to its
	// first token. Default 0.
	TTFT time.Duration `yaml:"ttft"`
	// ITL is, with fixed timing, the time between two tokens. Default 0.
	ITL time.Duration `yaml:"itl"`
	// PrefillBase is the time a prefill takes beside its tokens. Default 10ms.
	PrefillBase time.Duration `yaml:"prefill_base"`
	// PrefillPerToken is the time per prompt token that the prefix cache does
	// not hold. Default 30µs.
	PrefillPerToken time.Duration `yaml:"prefill_per_token"`
	// PrefillChunk is the most prompt tokens computed in one step. Default
	// 2048; 0 means no limit.
	PrefillChunk int `yaml:"prefill_chunk"`
	// DecodeBase is the time of a decode step beside its sequences. Default 8ms.
	DecodeBase time.Duration `yaml:"decode_base"`
	// DecodePerSeq is the time a decode step takes per sequence in it. Default
	// 100µs.
	DecodePerSeq time.Duration `yaml:"decode_per_seq"`
	// DecodePerKVToken is the time a decode step takes per token of context of
	// the sequences in it. Default 0.
	DecodePerKVToken time.Duration `yaml:"decode_per_kv_token"`
	// MaxNumSeqs is the most requests that run at once; the rest wait in
	// order. Default 128; 0 means no limit.
	MaxNumSeqs int `yaml:"max_num_seqs"`
	// KVCacheTokens is the room for the context of running requests, reserved
	// in full when one starts, and of the prefix cache. Default 500000; 0
	// means no limit for the running and none cached.
	KVCacheTokens int `yaml:"kv_cache_tokens"`
	// PrefixCache keeps computed prompt blocks for later prompts that begin
	// with them. Default true.
	PrefixCache bool `yaml:"prefix_cache"`
	// Jitter is the coefficient of variation of every duration of the timing
	// model, lognormal with mean 1. Default 0: none.
	Jitter float64 `yaml:"jitter"`
	// Precise sleeps by the kernel's clock on a thread of its own, within some
	// 60 µs, where Go's timers are up to 1 ms late. Linux only, without effect
	// elsewhere; must be off in a synctest bubble. Default false.
	Precise bool `yaml:"precise"`

	// TemplateTokens is what the chat template adds to a chat prompt. Default
	// 0.
	TemplateTokens int `yaml:"template_tokens"`
	// OutputTokens is the length of an answer when the request sets no limit,
	// and where OutputTokensMean is 0 it is the only rule: a limit is always
	// used up. Default 128.
	OutputTokens int `yaml:"output_tokens"`
	// OutputTokensMean is the mean length that answers end at of themselves,
	// within the request's limits and unless it sets ignore_eos. Default 0:
	// none ends of itself.
	OutputTokensMean float64 `yaml:"output_tokens_mean"`
	// OutputTokensStddev is the standard deviation of that normally
	// distributed length. Default 0.
	OutputTokensStddev float64 `yaml:"output_tokens_stddev"`
	// ReasoningTokens is how many tokens of an answer come first, as
	// reasoning. Default 0.
	ReasoningTokens int `yaml:"reasoning_tokens"`
	// ReasoningKey is "reasoning_content" (default) or "reasoning".
	ReasoningKey string `yaml:"reasoning_key"`
	// TokensPerChunk is how many tokens one event carries; the first token
	// always goes out at once and alone, the last ones when the answer ends.
	// Default 1.
	TokensPerChunk int `yaml:"tokens_per_chunk"`
	// FinishDelay is the time from the last token to what follows it: finish
	// chunk, usage and [DONE]. Default 0.
	FinishDelay time.Duration `yaml:"finish_delay"`

	// KeepAlive is how long a connection may be idle before it is closed.
	// Default 0: five minutes. HTTP/1.1 only.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// RequestsPerSecond is a quota; what exceeds it is answered with 429 and
	// Retry-After. Default 0: none.
	RequestsPerSecond float64 `yaml:"requests_per_second"`
	// Burst is how many requests the quota lets through at once. Default 1.
	Burst int `yaml:"burst"`
	// Faults are the failures to inject. Default none.
	Faults []Fault `yaml:"faults"`

	// TLS serves HTTPS with a certificate of its own, see [Server.CertPEM].
	// Default false.
	TLS bool `yaml:"tls"`
	// HTTP2 also serves HTTP/2: chosen by ALPN with TLS, by prior knowledge
	// without. Default true.
	HTTP2 bool `yaml:"http2"`
	// Grace is how long requests in flight may go on when the server is told
	// to end. Default 0: they are cut.
	Grace time.Duration `yaml:"grace"`

	// Stamps records the true times of every request for GET /mock/stamps;
	// otherwise only those of requests with the header X-Mock-Stamps: 1, which
	// also has them written into every chunk. Default false.
	Stamps bool `yaml:"stamps"`
	// StampsKept is how many requests' stamps are kept, the newest. Default
	// 10000.
	StampsKept int `yaml:"stamps_kept"`
}

// DefaultConfig returns an endpoint much like a small model on one large GPU:
// about 120 tokens/s for one user, 6,000 in all, with its knee at 128 users.
func DefaultConfig() Config {
	return Config{
		Timing:          Batching,
		PrefillBase:     10 * time.Millisecond,
		PrefillPerToken: 30 * time.Microsecond,
		PrefillChunk:    2048,
		DecodeBase:      8 * time.Millisecond,
		DecodePerSeq:    100 * time.Microsecond,
		MaxNumSeqs:      128,
		KVCacheTokens:   500_000,
		PrefixCache:     true,
		OutputTokens:    128,
		ReasoningKey:    "reasoning_content",
		TokensPerChunk:  1,
		Burst:           1,
		HTTP2:           true,
		StampsKept:      10_000,
	}
}

// Validate returns all faults of the configuration, joined, nil for none.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.Timing != "" && !slices.Contains(Words("timing"), c.Timing),
		"timing: %q is unknown: use %s or %s", c.Timing, Batching, Fixed)
	bad(c.Timing != Fixed && (c.TTFT != 0 || c.ITL != 0),
		"ttft, itl: have no effect with timing %s: set timing: %s", Batching, Fixed)
	for _, d := range []struct {
		key string
		d   time.Duration
	}{
		{"ttft", c.TTFT},
		{"itl", c.ITL},
		{"prefill_base", c.PrefillBase},
		{"prefill_per_token", c.PrefillPerToken},
		{"decode_base", c.DecodeBase},
		{"decode_per_seq", c.DecodePerSeq},
		{"decode_per_kv_token", c.DecodePerKVToken},
		{"finish_delay", c.FinishDelay},
		{"keep_alive", c.KeepAlive},
		{"grace", c.Grace},
	} {
		bad(d.d < 0, "%s: %v is negative", d.key, d.d)
	}
	for _, n := range []struct {
		key string
		n   float64
	}{
		{"prefill_chunk", float64(c.PrefillChunk)},
		{"max_num_seqs", float64(c.MaxNumSeqs)},
		{"kv_cache_tokens", float64(c.KVCacheTokens)},
		{"jitter", c.Jitter},
		{"template_tokens", float64(c.TemplateTokens)},
		{"output_tokens", float64(c.OutputTokens)},
		{"output_tokens_mean", c.OutputTokensMean},
		{"output_tokens_stddev", c.OutputTokensStddev},
		{"reasoning_tokens", float64(c.ReasoningTokens)},
		{"tokens_per_chunk", float64(c.TokensPerChunk)},
		{"requests_per_second", c.RequestsPerSecond},
		{"burst", float64(c.Burst)},
		{"stamps_kept", float64(c.StampsKept)},
	} {
		bad(!(n.n >= 0), "%s: %v is negative", n.key, n.n)
	}
	bad(c.OutputTokensStddev > 0 && c.OutputTokensMean == 0,
		"output_tokens_stddev: has no effect without output_tokens_mean")
	bad(c.ReasoningKey != "" && !slices.Contains(Words("reasoning_key"), c.ReasoningKey),
		"reasoning_key: %q is unknown: use %s", c.ReasoningKey, strings.Join(Words("reasoning_key"), " or "))
	for i, f := range c.Faults {
		if err := f.validate(); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// Words returns the texts that a key may hold, by its path in a batch file
// below mock; nil where any will do. An empty text is the default.
func Words(key string) []string {
	switch key {
	case "timing":
		return []string{Batching, Fixed}
	case "reasoning_key":
		return []string{"reasoning_content", "reasoning"}
	case "faults.kind":
		return slices.Clone(faultKinds)
	}
	return nil
}

// filled replaces the zeros that stand for another value.
func (c Config) filled() Config {
	def := DefaultConfig()
	if c.OutputTokens == 0 {
		c.OutputTokens = def.OutputTokens
	}
	if c.ReasoningKey == "" {
		c.ReasoningKey = def.ReasoningKey
	}
	c.TokensPerChunk = max(c.TokensPerChunk, 1)
	c.Burst = max(c.Burst, 1)
	if c.StampsKept == 0 {
		c.StampsKept = def.StampsKept
	}
	return c
}
