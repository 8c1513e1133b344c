package observe

import (
	"slices"
	"strings"
)

// The nouns that inference engines have in common, whatever they call them.
const (
	// Levels.
	Inside     = "inside"      // requests in the server, running and waiting
	Running    = "running"     // requests being computed
	Waiting    = "waiting"     // requests that have not begun to be
	KVUsage    = "kv_usage"    // share of the KV cache in use, 0..1: the fullest engine's
	HitRate    = "hit_rate"    // share of prompt tokens from the prefix cache, 0..1, where the server gives no counts
	Acceptance = "acceptance"  // share of drafted tokens that were accepted, likewise
	Asleep     = "asleep"      // 1 while an engine sleeps
	TokenRate  = "output_rate" // tokens/s by the server's own reckoning

	// Counts over a window.
	Requests      = "requests"       // answered to their end
	PromptTokens  = "prompt_tokens"  // taken
	OutputTokens  = "output_tokens"  // made
	PrefixQueries = "prefix_queries" // prompt tokens looked up in the prefix cache
	PrefixHits    = "prefix_hits"    // prompt tokens found there
	Preemptions   = "preemptions"    // requests that lost their place, and are computed again
	Drafted       = "drafted"        // tokens of speculation
	Accepted      = "accepted"       // of these

	// Times, in seconds.
	QueueTime   = "queue"
	PrefillTime = "prefill"
	DecodeTime  = "decode"
	E2ETime     = "e2e"
	TTFTTime    = "ttft"
	ITLTime     = "itl"
)

// Levels, Counts and Times are the nouns of each kind, in the order in which they
// are shown.
var (
	Levels = []string{Inside, Running, Waiting, KVUsage, HitRate, Acceptance, Asleep, TokenRate}
	Counts = []string{Requests, PromptTokens, OutputTokens, PrefixQueries, PrefixHits, Preemptions, Drafted, Accepted}
	Times  = []string{QueueTime, PrefillTime, DecodeTime, E2ETime, TTFTTime, ITLTime}
)

// A how says what of a metric is the noun.
type how uint8

const (
	asLevel how = iota // a gauge, summed over engines
	asShare            // a gauge 0..1, the greatest of engines
	asCount            // a counter
	asSum              // what a histogram took in, together
	asTime             // a histogram of times
	asMean             // a counter of time over another counter
)

// A rule says which noun a metric is.
type rule struct {
	metric string // with _ for :, without _total
	noun   string
	how    how
	scale  float64   // to the noun's unit; 0 for 1
	where  [2]string // a label that the series must have; empty for any
	over   string    // of asMean: what the time is divided by
	plus   string    // another metric, which tells the rest of the noun; empty for none
}

// An engine is what is known of one kind of server.
type engine struct {
	name    string
	prefix  []string // of its metrics
	gateway bool     // it stands before engines: where these are seen too, they count
	rules   []rule   // those of a noun in order: the first that is there is taken
	// ranks are labels of processes of one engine that each tell the same.
	ranks []string
	// split is a label by which levels are told in parts, beside the whole, whose
	// label is empty; counts are told in parts alone.
	split string
}

var engines = []engine{
	{name: "vllm", prefix: []string{"vllm_"}, rules: []rule{ // and the simulator of llm-d
		{metric: "vllm_num_requests_running", noun: Running},
		{metric: "vllm_num_requests_waiting", noun: Waiting},
		{metric: "vllm_kv_cache_usage_perc", noun: KVUsage, how: asShare},
		{metric: "vllm_gpu_cache_usage_perc", noun: KVUsage, how: asShare},
		{metric: "vllm_gpu_prefix_cache_hit_rate", noun: HitRate, how: asShare},
		{metric: "vllm_spec_decode_draft_acceptance_rate", noun: Acceptance, how: asShare},
		{metric: "vllm_engine_sleep_state", noun: Asleep, how: asShare, where: [2]string{"sleep_state", "weights_offloaded"}},
		{metric: "vllm_engine_sleep_state", noun: Asleep, how: asShare, where: [2]string{"sleep_state", "discard_all"}},
		{metric: "vllm_avg_generation_throughput_toks_per_s", noun: TokenRate},
		{metric: "vllm_request_success", noun: Requests, how: asCount},
		{metric: "vllm_prompt_tokens", noun: PromptTokens, how: asCount},
		{metric: "vllm_generation_tokens", noun: OutputTokens, how: asCount},
		{metric: "vllm_prefix_cache_queries", noun: PrefixQueries, how: asCount},
		{metric: "vllm_gpu_prefix_cache_queries", noun: PrefixQueries, how: asCount},
		// What the cache of the engine has not, one beside it may have.
		{metric: "vllm_prefix_cache_hits", noun: PrefixHits, how: asCount, plus: "vllm_external_prefix_cache_hits"},
		{metric: "vllm_gpu_prefix_cache_hits", noun: PrefixHits, how: asCount},
		{metric: "vllm_num_preemptions", noun: Preemptions, how: asCount},
		{metric: "vllm_spec_decode_num_draft_tokens", noun: Drafted, how: asCount},
		{metric: "vllm_spec_decode_num_accepted_tokens", noun: Accepted, how: asCount},
		{metric: "vllm_request_queue_time_seconds", noun: QueueTime, how: asTime},
		{metric: "vllm_time_in_queue_requests", noun: QueueTime, how: asTime},
		{metric: "vllm_request_prefill_time_seconds", noun: PrefillTime, how: asTime},
		{metric: "vllm_request_decode_time_seconds", noun: DecodeTime, how: asTime},
		{metric: "vllm_e2e_request_latency_seconds", noun: E2ETime, how: asTime},
		{metric: "vllm_time_to_first_token_seconds", noun: TTFTTime, how: asTime},
		{metric: "vllm_inter_token_latency_seconds", noun: ITLTime, how: asTime},
		{metric: "vllm_time_per_output_token_seconds", noun: ITLTime, how: asTime},
	}},
	{name: "sglang", prefix: []string{"sglang_"}, ranks: []string{"tp_rank", "pp_rank", "moe_ep_rank"}, split: "priority", rules: []rule{
		{metric: "sglang_num_running_reqs", noun: Running},
		{metric: "sglang_num_queue_reqs", noun: Waiting},
		{metric: "sglang_token_usage", noun: KVUsage, how: asShare},
		{metric: "sglang_cache_hit_rate", noun: HitRate, how: asShare},
		{metric: "sglang_spec_accept_rate", noun: Acceptance, how: asShare},
		{metric: "sglang_gen_throughput", noun: TokenRate},
		{metric: "sglang_num_requests", noun: Requests, how: asCount},
		{metric: "sglang_prompt_tokens", noun: PromptTokens, how: asCount},
		{metric: "sglang_generation_tokens", noun: OutputTokens, how: asCount},
		{metric: "sglang_prompt_tokens", noun: PrefixQueries, how: asCount},
		{metric: "sglang_cached_tokens", noun: PrefixHits, how: asCount},
		{metric: "sglang_num_retracted_requests", noun: Preemptions, how: asCount},
		{metric: "sglang_queue_time_seconds", noun: QueueTime, how: asTime},
		{metric: "sglang_per_stage_req_latency_seconds", noun: PrefillTime, how: asTime, where: [2]string{"stage", "prefill_forward"}},
		{metric: "sglang_e2e_request_latency_seconds", noun: E2ETime, how: asTime},
		{metric: "sglang_time_to_first_token_seconds", noun: TTFTTime, how: asTime},
		{metric: "sglang_inter_token_latency_seconds", noun: ITLTime, how: asTime},
		{metric: "sglang_time_per_output_token_seconds", noun: ITLTime, how: asTime},
	}},
	{name: "tgi", prefix: []string{"tgi_"}, rules: []rule{
		{metric: "tgi_batch_current_size", noun: Running},
		{metric: "tgi_queue_size", noun: Waiting},
		{metric: "tgi_request_success", noun: Requests, how: asCount},
		{metric: "tgi_request_input_length", noun: PromptTokens, how: asSum},
		{metric: "tgi_request_generated_tokens", noun: OutputTokens, how: asSum},
		{metric: "tgi_request_queue_duration", noun: QueueTime, how: asTime},
		{metric: "tgi_batch_inference_duration", noun: PrefillTime, how: asTime, where: [2]string{"method", "prefill"}},
		{metric: "tgi_request_duration", noun: E2ETime, how: asTime},
		{metric: "tgi_request_mean_time_per_token_duration", noun: ITLTime, how: asTime},
	}},
	{name: "tensorrt-llm", prefix: []string{"trtllm_", "nv_trt_llm_", "nv_inference_"}, rules: []rule{
		{metric: "trtllm_num_requests_running", noun: Running},
		{metric: "nv_trt_llm_request_metrics", noun: Running, where: [2]string{"request_type", "scheduled"}},
		{metric: "trtllm_num_requests_waiting", noun: Waiting},
		{metric: "nv_trt_llm_request_metrics", noun: Waiting, where: [2]string{"request_type", "waiting"}},
		{metric: "nv_inference_pending_request_count", noun: Waiting},
		{metric: "trtllm_kv_cache_utilization", noun: KVUsage, how: asShare},
		{metric: "trtllm_kv_cache_usage_perc", noun: KVUsage, how: asShare},
		{metric: "nv_trt_llm_kv_cache_block_metrics", noun: KVUsage, how: asShare, where: [2]string{"kv_cache_block_type", "fraction"}},
		{metric: "trtllm_kv_cache_hit_rate", noun: HitRate, how: asShare},
		{metric: "trtllm_request_success", noun: Requests, how: asCount},
		{metric: "nv_inference_request_success", noun: Requests, how: asCount},
		{metric: "trtllm_prompt_tokens", noun: PromptTokens, how: asCount},
		{metric: "trtllm_generation_tokens", noun: OutputTokens, how: asCount},
		{metric: "trtllm_prompt_tokens", noun: PrefixQueries, how: asCount},
		{metric: "trtllm_prompt_cached_tokens", noun: PrefixHits, how: asCount},
		{metric: "trtllm_num_preemptions", noun: Preemptions, how: asCount},
		{metric: "trtllm_spec_decode_num_draft_tokens", noun: Drafted, how: asCount},
		{metric: "trtllm_spec_decode_num_accepted_tokens", noun: Accepted, how: asCount},
		{metric: "trtllm_request_queue_time_seconds", noun: QueueTime, how: asTime},
		{metric: "nv_inference_queue_duration_us", noun: QueueTime, how: asMean, scale: 1e-6, over: "nv_inference_request_success"},
		{metric: "trtllm_request_prefill_time_seconds", noun: PrefillTime, how: asTime},
		{metric: "trtllm_request_decode_time_seconds", noun: DecodeTime, how: asTime},
		{metric: "trtllm_e2e_request_latency_seconds", noun: E2ETime, how: asTime},
		{metric: "nv_inference_request_duration_us", noun: E2ETime, how: asMean, scale: 1e-6, over: "nv_inference_request_success"},
		{metric: "trtllm_time_to_first_token_seconds", noun: TTFTTime, how: asTime},
		{metric: "nv_inference_first_response_histogram_ms", noun: TTFTTime, how: asTime, scale: 1e-3},
		{metric: "trtllm_inter_token_latency_seconds", noun: ITLTime, how: asTime},
		{metric: "trtllm_time_per_output_token_seconds", noun: ITLTime, how: asTime},
	}},
	{name: "llama.cpp", prefix: []string{"llamacpp_"}, rules: []rule{
		{metric: "llamacpp_requests_processing", noun: Running},
		{metric: "llamacpp_requests_deferred", noun: Waiting},
		{metric: "llamacpp_kv_cache_usage_ratio", noun: KVUsage, how: asShare},
		// Tokens that it takes from its cache are counted apart.
		{metric: "llamacpp_prompt_tokens", noun: PromptTokens, how: asCount, plus: "llamacpp_prompt_tokens_cached"},
		{metric: "llamacpp_prompt_tokens", noun: PrefixQueries, how: asCount, plus: "llamacpp_prompt_tokens_cached"},
		{metric: "llamacpp_prompt_tokens_cached", noun: PrefixHits, how: asCount},
		{metric: "llamacpp_spec_decode_num_draft_tokens", noun: Drafted, how: asCount},
		{metric: "llamacpp_spec_decode_num_accepted_tokens", noun: Accepted, how: asCount},
		{metric: "llamacpp_tokens_predicted", noun: OutputTokens, how: asCount},
		{metric: "llamacpp_tokens_predicted_seconds", noun: ITLTime, how: asMean, over: "llamacpp_tokens_predicted"},
	}},
	{name: "dynamo", prefix: []string{"dynamo_component_"}, gateway: true, rules: []rule{
		{metric: "dynamo_component_kvstats_gpu_cache_usage_percent", noun: KVUsage, how: asShare},
		{metric: "dynamo_component_gpu_cache_usage_percent", noun: KVUsage, how: asShare},
		{metric: "dynamo_component_kvstats_gpu_prefix_cache_hit_rate", noun: HitRate, how: asShare},
	}},
	{name: "dynamo", prefix: []string{"dynamo_frontend_"}, gateway: true, rules: []rule{
		// A request is in flight here from its arrival to its end, and queued until
		// its first token, as one of these.
		{metric: "dynamo_frontend_inflight_requests", noun: Inside},
		{metric: "dynamo_frontend_queued_requests", noun: Waiting},
		{metric: "dynamo_frontend_requests", noun: Requests, how: asCount},
		{metric: "dynamo_frontend_input_sequence_tokens", noun: PromptTokens, how: asSum},
		{metric: "dynamo_frontend_input_sequence_tokens", noun: PrefixQueries, how: asSum},
		{metric: "dynamo_frontend_cached_tokens", noun: PrefixHits, how: asSum},
		{metric: "dynamo_frontend_output_tokens", noun: OutputTokens, how: asCount},
		{metric: "dynamo_frontend_output_sequence_tokens", noun: OutputTokens, how: asSum},
		{metric: "dynamo_frontend_request_duration_seconds", noun: E2ETime, how: asTime},
		{metric: "dynamo_frontend_time_to_first_token_seconds", noun: TTFTTime, how: asTime},
		{metric: "dynamo_frontend_inter_token_latency_seconds", noun: ITLTime, how: asTime},
	}},
}

// common returns a metric's name without what formats and servers add to it.
func common(name string) string {
	return strings.TrimSuffix(strings.ReplaceAll(name, ":", "_"), "_total")
}

// engineOf returns the engine that a metric is one of; nil for none.
func engineOf(metric string) *engine {
	metric = common(metric)
	for i := range engines {
		if slices.ContainsFunc(engines[i].prefix, func(p string) bool { return strings.HasPrefix(metric, p) }) {
			return &engines[i]
		}
	}
	return nil
}

// matches reports whether a series is one of the rule. Its metric is named as
// [common] has it.
func (r *rule) matches(metric string, labels []Label) bool {
	if metric != r.metric && (metric != r.plus || r.plus == "") {
		return false
	}
	return r.where[0] == "" || slices.Contains(labels, Label{r.where[0], r.where[1]})
}

func (r *rule) factor() float64 {
	if r.scale == 0 {
		return 1
	}
	return r.scale
}
