package mockllm

import (
	"fmt"
	"time"
)

// Flags are the fields of Config as flags of a command line; the batch file has
// them under mock:. docs/mock.md says how they work together.
type Flags struct {
	Models []string `placeholder:"NAME" help:"Models served; any name is, when none is given."`
	APIKey string   `placeholder:"KEY" help:"Bearer token that /v1 asks for."`
	Seed   uint64   `help:"Root of all chance: jitter, output lengths, faults."`

	Timing           string        `enum:"batching,fixed" default:"batching" help:"Timing model: batching, or fixed TTFT and ITL."`
	TTFT             time.Duration `name:"ttft" help:"With fixed timing: time to the first token."`
	ITL              time.Duration `name:"itl" help:"With fixed timing: time between two tokens."`
	PrefillBase      time.Duration `default:"${prefill_base}" help:"Time of a prefill beside its tokens."`
	PrefillPerToken  time.Duration `default:"${prefill_per_token}" help:"Time per prompt token that is not cached."`
	PrefillChunk     int           `default:"${prefill_chunk}" help:"Most prompt tokens computed in one step; 0 for no limit."`
	DecodeBase       time.Duration `default:"${decode_base}" help:"Time of a decode step beside its sequences."`
	DecodePerSeq     time.Duration `default:"${decode_per_seq}" help:"Time of a decode step per sequence in it."`
	DecodePerKVToken time.Duration `name:"decode-per-kv-token" help:"Time of a decode step per token of context."`
	MaxNumSeqs       int           `default:"${max_num_seqs}" help:"Most requests that run at once; the rest wait. 0 for no limit."`
	KVCacheTokens    int           `name:"kv-cache-tokens" default:"${kv_cache_tokens}" help:"Tokens of context that fit into the cache; 0 for no limit, and no prefix cache."`
	PrefixCache      bool          `default:"true" negatable:"" help:"Keep computed prompt blocks for later prompts."`
	Jitter           float64       `help:"Coefficient of variation of every duration, lognormal."`
	Precise          bool          `default:"true" negatable:"" help:"Sleep by the kernel's clock (Linux)."`

	TemplateTokens     int           `help:"Tokens that the chat template adds."`
	OutputTokens       int           `default:"${output_tokens}" help:"Length of an answer to a request without a limit."`
	OutputTokensMean   float64       `help:"Mean length at which answers end of themselves; 0 for never."`
	OutputTokensStddev float64       `help:"Standard deviation of that length."`
	ReasoningTokens    int           `help:"Tokens of an answer that come first, as reasoning."`
	ReasoningKey       string        `enum:"reasoning_content,reasoning" default:"reasoning_content" help:"Key of the reasoning: reasoning_content or reasoning."`
	TokensPerChunk     int           `default:"1" help:"Tokens that one event carries."`
	FinishDelay        time.Duration `help:"Time from the last token to the end of the stream."`

	KeepAlive         time.Duration `help:"Close connections that are idle for so long; 0 for five minutes."`
	RequestsPerSecond float64       `help:"Quota; what exceeds it is answered with 429. 0 for none."`
	Burst             int           `default:"1" help:"Requests that the quota lets through at once."`
	Faults            []flagFault   `name:"fault" sep:"none" placeholder:"FAULT" help:"Failure to inject, such as \"status every=10 status=503\" (repeatable); docs/mock.md lists the kinds."`

	TLS   bool          `name:"tls" help:"Serve HTTPS with a certificate made at the start."`
	HTTP2 bool          `name:"http2" default:"true" negatable:"" help:"Also serve HTTP/2."`
	Grace time.Duration `help:"How long requests in flight may go on at the end."`

	Stamps     bool `help:"Record the true times of every request for GET /mock/stamps."`
	StampsKept int  `default:"${stamps_kept}" help:"Requests whose stamps are kept."`
}

// A flagFault is a Fault written as on the command line.
type flagFault Fault

// UnmarshalText reads the kind and its fields: "cut every=10 after=3".
func (f *flagFault) UnmarshalText(text []byte) error {
	parsed, err := ParseFault(string(text))
	*f = flagFault(parsed)
	return err
}

// Config returns what the flags say.
func (f Flags) Config() Config {
	faults := make([]Fault, len(f.Faults))
	for i, x := range f.Faults {
		faults[i] = Fault(x)
	}
	return Config{
		Models: f.Models, APIKey: f.APIKey, Seed: f.Seed,
		Timing: f.Timing, TTFT: f.TTFT, ITL: f.ITL,
		PrefillBase: f.PrefillBase, PrefillPerToken: f.PrefillPerToken, PrefillChunk: f.PrefillChunk,
		DecodeBase: f.DecodeBase, DecodePerSeq: f.DecodePerSeq, DecodePerKVToken: f.DecodePerKVToken,
		MaxNumSeqs: f.MaxNumSeqs, KVCacheTokens: f.KVCacheTokens, PrefixCache: f.PrefixCache,
		Jitter: f.Jitter, Precise: f.Precise,
		TemplateTokens: f.TemplateTokens, OutputTokens: f.OutputTokens,
		OutputTokensMean: f.OutputTokensMean, OutputTokensStddev: f.OutputTokensStddev,
		ReasoningTokens: f.ReasoningTokens, ReasoningKey: f.ReasoningKey,
		TokensPerChunk: f.TokensPerChunk, FinishDelay: f.FinishDelay,
		KeepAlive: f.KeepAlive, RequestsPerSecond: f.RequestsPerSecond, Burst: f.Burst, Faults: faults,
		TLS: f.TLS, HTTP2: f.HTTP2, Grace: f.Grace,
		Stamps: f.Stamps, StampsKept: f.StampsKept,
	}
}

// FlagDefaults are the variables in the defaults above: one place says what
// the endpoint is like.
func FlagDefaults() map[string]string {
	d := DefaultConfig()
	text := func(v any) string { return fmt.Sprint(v) }
	return map[string]string{
		"prefill_base": text(d.PrefillBase), "prefill_per_token": text(d.PrefillPerToken),
		"prefill_chunk": text(d.PrefillChunk), "decode_base": text(d.DecodeBase),
		"decode_per_seq": text(d.DecodePerSeq), "max_num_seqs": text(d.MaxNumSeqs),
		"kv_cache_tokens": text(d.KVCacheTokens), "output_tokens": text(d.OutputTokens),
		"stamps_kept": text(d.StampsKept),
	}
}
