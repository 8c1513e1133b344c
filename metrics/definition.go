package metrics

// An ID names a metric that every request has a value of its own for.
type ID uint8

// The per-request metrics. Their tags, units and formulas stand in
// docs/metrics.md; a test keeps that table and this list equal.
const (
	RequestLatency ID = iota
	TTFT
	TTST
	ITL
	OutputRatePerUser
	OSL
	ISL
	OutputTokens
	ReasoningTokens
	TTFO
	DecodeDuration
	OutputRateE2E
	PrefillRatePerUser
	CreditToStart
	EffectiveLatency
	TTFTFromDue
	UsagePrompt
	UsageCompletion
	UsageTotal
	UsageReasoning
	UsageCacheRead
	UsagePromptDiff
	UsageCompletionDiff
	UsageReasoningDiff
	OSLMismatch
	ErrorISL
	HTTPBlocked
	HTTPLookup
	HTTPConnecting
	HTTPSending
	HTTPWaiting
	HTTPReceiving
	HTTPDuration
	HTTPOverhead
	HTTPTotal
	HTTPReused
	HTTPSent
	HTTPReceived
	perRequest int = iota
)

// A Kind says how a metric comes about.
type Kind uint8

const (
	// PerRequest metrics have one value per request and a distribution.
	PerRequest Kind = iota
	// PerChunk metrics have a list of values per request.
	PerChunk
	// TimeWeighted metrics are a distribution over time, not over requests.
	TimeWeighted
	// Adjusted metrics count every failed request as infinitely slow.
	Adjusted
	// Scalar metrics have one value per run.
	Scalar
)

// A Definition is what is known of a metric before any run.
type Definition struct {
	Tag    string // AIPerf's, or loadgen's own where AIPerf has none
	Header string
	Unit   string
	Kind   Kind
	ID     ID // where Kind is PerRequest; of the base metric where it is Adjusted
	// Integer values are counts and print as such.
	Integer bool
	// Larger says that larger is better, which turns an SLO's limit around.
	Larger bool
	// Trace metrics describe the connection; profile_export.jsonl carries
	// them in the record's conn object instead of its metrics.
	Trace bool
	// Console is the row in AIPerf's table, 0 for none.
	Console int
}

// PerGPU is the tag of the output's tokens per second and GPU, of runs that know
// how many GPUs they load.
const PerGPU = "output_token_throughput_per_gpu"

// definitions stand in the order of AIPerf's JSON export: its declared keys
// first, then the tags it adds behind them.
var definitions = append([]Definition{
	{Tag: "request_throughput", Header: "Request Throughput", Unit: "requests/sec", Kind: Scalar, Larger: true, Console: 900},
	{Tag: "request_latency", Header: "Request Latency", Unit: "ms", ID: RequestLatency, Console: 300},
	{Tag: "request_count", Header: "Request Count", Unit: "requests", Kind: Scalar, Integer: true, Console: 1100},
	{Tag: "time_to_first_token", Header: "Time to First Token", Unit: "ms", ID: TTFT, Console: 100},
	{Tag: "time_to_second_token", Header: "Time to Second Token", Unit: "ms", ID: TTST, Console: 200},
	{Tag: "inter_token_latency", Header: "Inter Token Latency", Unit: "ms", ID: ITL, Console: 400},
	{Tag: "output_token_throughput", Header: "Output Token Throughput", Unit: "tokens/sec", Kind: Scalar, Larger: true, Console: 800},
	{Tag: "output_token_throughput_per_user", Header: "Output Token Throughput Per User", Unit: "tokens/sec/user", ID: OutputRatePerUser, Larger: true, Console: 500},
	{Tag: "output_sequence_length", Header: "Output Sequence Length", Unit: "tokens", ID: OSL, Integer: true, Larger: true, Console: 600},
	{Tag: "input_sequence_length", Header: "Input Sequence Length", Unit: "tokens", ID: ISL, Integer: true, Larger: true, Console: 700},
	{Tag: "goodput", Header: "Goodput", Unit: "requests/sec", Kind: Scalar, Larger: true, Console: 1000},
	{Tag: "good_request_count", Header: "Good Request Count", Unit: "requests", Kind: Scalar, Integer: true},
	{Tag: "output_token_count", Header: "Output Token Count", Unit: "tokens", ID: OutputTokens, Integer: true, Larger: true},
	{Tag: "reasoning_token_count", Header: "Reasoning Token Count", Unit: "tokens", ID: ReasoningTokens, Integer: true, Larger: true},
	{Tag: "min_request_timestamp", Header: "Minimum Request Timestamp", Unit: "ns", Kind: Scalar, Integer: true},
	{Tag: "max_response_timestamp", Header: "Maximum Response Timestamp", Unit: "ns", Kind: Scalar, Integer: true},
	{Tag: "inter_chunk_latency", Header: "Inter Chunk Latency", Unit: "ms", Kind: PerChunk},
	{Tag: "total_output_tokens", Header: "Total Output Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_reasoning_tokens", Header: "Total Reasoning Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "benchmark_duration", Header: "Benchmark Duration", Unit: "sec", Kind: Scalar},
	{Tag: "total_isl", Header: "Total Input Sequence Length", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_osl", Header: "Total Output Sequence Length", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "error_request_count", Header: "Error Request Count", Unit: "requests", Kind: Scalar, Integer: true},
	{Tag: "error_isl", Header: "Error Input Sequence Length", Unit: "tokens", ID: ErrorISL, Integer: true},
	{Tag: "total_error_isl", Header: "Total Error Input Sequence Length", Unit: "tokens", Kind: Scalar, Integer: true},

	{Tag: "completed_request_count", Header: "Completed Requests (Success + Error)", Unit: "requests", Kind: Scalar, Integer: true},
	{Tag: "request_error_rate", Header: "Request Error Rate", Unit: "%", Kind: Scalar},
	{Tag: "good_request_fraction", Header: "GoodRequestFraction", Unit: "ratio", Kind: Scalar, Larger: true},
	{Tag: "time_to_first_output_token", Header: "Time to First Output Token", Unit: "ms", ID: TTFO},
	{Tag: "decode_duration", Header: "Decode Duration", Unit: "ms", ID: DecodeDuration},
	{Tag: "e2e_output_token_throughput", Header: "E2E Output Token Throughput", Unit: "tokens/sec/user", ID: OutputRateE2E, Larger: true},
	{Tag: "prefill_throughput_per_user", Header: "Prefill Throughput Per User", Unit: "tokens/sec/user", ID: PrefillRatePerUser, Larger: true},
	{Tag: "input_token_throughput", Header: "Input Token Throughput", Unit: "tokens/sec", Kind: Scalar, Larger: true},
	{Tag: "total_token_throughput", Header: "Total Token Throughput", Unit: "tokens/sec", Kind: Scalar, Larger: true},
	{Tag: PerGPU, Header: "Output Token Throughput Per GPU", Unit: "tokens/sec/GPU", Kind: Scalar, Larger: true},
	{Tag: "credit_to_start_latency", Header: "Credit-to-Start Latency", Unit: "ms", ID: CreditToStart},
	{Tag: "effective_latency", Header: "Effective Latency (CO-aware)", Unit: "ms", ID: EffectiveLatency},
	{Tag: "time_to_first_token_from_due", Header: "Time to First Token from Due", Unit: "ms", ID: TTFTFromDue},
	{Tag: "adj_request_latency", Header: "Request Latency (error-adjusted)", Unit: "ms", Kind: Adjusted, ID: RequestLatency},
	{Tag: "adj_time_to_first_token", Header: "Time to First Token (error-adjusted)", Unit: "ms", Kind: Adjusted, ID: TTFT},
	{Tag: "adj_inter_token_latency", Header: "Inter Token Latency (error-adjusted)", Unit: "ms", Kind: Adjusted, ID: ITL},
	{Tag: "adj_decode_duration", Header: "Decode Duration (error-adjusted)", Unit: "ms", Kind: Adjusted, ID: DecodeDuration},
	{Tag: "adj_effective_latency", Header: "Effective Latency (CO-aware, error-adjusted)", Unit: "ms", Kind: Adjusted, ID: EffectiveLatency},
	{Tag: "effective_concurrency", Header: "Effective Concurrency", Unit: "requests", Kind: TimeWeighted},
	{Tag: "effective_decode_concurrency", Header: "Effective Decode Concurrency", Unit: "requests", Kind: TimeWeighted},
	{Tag: "effective_prefill_concurrency", Header: "Effective Prefill Concurrency", Unit: "requests", Kind: TimeWeighted},
	{Tag: "usage_prompt_tokens", Header: "Usage Prompt Tokens", Unit: "tokens", ID: UsagePrompt, Integer: true},
	{Tag: "usage_completion_tokens", Header: "Usage Completion Tokens", Unit: "tokens", ID: UsageCompletion, Integer: true, Larger: true},
	{Tag: "usage_total_tokens", Header: "Usage Total Tokens", Unit: "tokens", ID: UsageTotal, Integer: true},
	{Tag: "usage_reasoning_tokens", Header: "Usage Reasoning Tokens", Unit: "tokens", ID: UsageReasoning, Integer: true},
	{Tag: "usage_prompt_cache_read_tokens", Header: "Usage Prompt Cache Read Tokens", Unit: "tokens", ID: UsageCacheRead, Integer: true, Larger: true},
	{Tag: "total_usage_prompt_tokens", Header: "Total Usage Prompt Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_usage_completion_tokens", Header: "Total Usage Completion Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_usage_total_tokens", Header: "Total Usage Total Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_usage_reasoning_tokens", Header: "Total Usage Reasoning Tokens", Unit: "tokens", Kind: Scalar, Integer: true},
	{Tag: "total_usage_prompt_cache_read_tokens", Header: "Total Usage Prompt Cache Read Tokens", Unit: "tokens", Kind: Scalar, Integer: true, Larger: true},
	{Tag: "overall_usage_prompt_cache_read_pct", Header: "Overall Usage Prompt Cache Read %", Unit: "%", Kind: Scalar, Larger: true},
	{Tag: "usage_prompt_tokens_diff_pct", Header: "Usage Prompt Diff %", Unit: "%", ID: UsagePromptDiff},
	{Tag: "usage_completion_tokens_diff_pct", Header: "Usage Completion Diff %", Unit: "%", ID: UsageCompletionDiff},
	{Tag: "usage_reasoning_tokens_diff_pct", Header: "Usage Reasoning Diff %", Unit: "%", ID: UsageReasoningDiff},
	{Tag: "usage_discrepancy_count", Header: "Usage Discrepancy Count", Unit: "requests", Kind: Scalar, Integer: true},
	{Tag: "osl_mismatch_diff_pct", Header: "OSL Mismatch Diff %", Unit: "%", ID: OSLMismatch},
	{Tag: "osl_mismatch_count", Header: "OSL Mismatch Count", Unit: "requests", Kind: Scalar, Integer: true},
	{Tag: "http_req_blocked", Header: "HTTP Blocked", Unit: "ms", ID: HTTPBlocked, Trace: true},
	{Tag: "http_req_dns_lookup", Header: "HTTP DNS Lookup", Unit: "ms", ID: HTTPLookup, Trace: true},
	{Tag: "http_req_connecting", Header: "HTTP Connecting", Unit: "ms", ID: HTTPConnecting, Trace: true},
	{Tag: "http_req_sending", Header: "HTTP Sending", Unit: "ms", ID: HTTPSending, Trace: true},
	{Tag: "http_req_waiting", Header: "HTTP Waiting (TTFB)", Unit: "ms", ID: HTTPWaiting, Trace: true},
	{Tag: "http_req_receiving", Header: "HTTP Receiving", Unit: "ms", ID: HTTPReceiving, Trace: true},
	{Tag: "http_req_duration", Header: "HTTP Duration (excl. conn)", Unit: "ms", ID: HTTPDuration, Trace: true},
	{Tag: "http_req_connection_overhead", Header: "HTTP Connection Overhead", Unit: "ms", ID: HTTPOverhead, Trace: true},
	{Tag: "http_req_total", Header: "HTTP Total Time", Unit: "ms", ID: HTTPTotal, Trace: true},
	{Tag: "http_req_connection_reused", Header: "HTTP Connection Reused", Unit: "ratio", ID: HTTPReused, Integer: true, Larger: true, Trace: true},
	{Tag: "http_req_data_sent", Header: "HTTP Data Sent", Unit: "KB", ID: HTTPSent, Trace: true},
	{Tag: "http_req_data_received", Header: "HTTP Data Received", Unit: "KB", ID: HTTPReceived, Trace: true},
}, energyDefinitions()...)

// Definitions returns every metric loadgen knows, in the order of the JSON
// export.
func Definitions() []Definition { return append([]Definition(nil), definitions...) }

// Lookup returns the definition of a tag.
func Lookup(tag string) (Definition, bool) {
	for _, d := range definitions {
		if d.Tag == tag {
			return d, true
		}
	}
	return Definition{}, false
}
