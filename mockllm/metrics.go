package mockllm

import (
	"net/http"
	"strconv"
)

// metrics serves /metrics under vLLM's names, old and new ones of the KV
// cache's usage.
func (s *Server) metrics(w reply) {
	st := s.Stats()
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	usage := 0.0
	if s.cfg.KVCacheTokens > 0 {
		usage = float64(st.KVReserved) / float64(s.cfg.KVCacheTokens)
	}
	label := `model_name="` + s.models()[0] + `"`
	var b []byte
	for _, m := range []struct {
		name, kind, help string
		value            float64
	}{
		{"vllm:num_requests_running", "gauge", "Requests in execution.", float64(st.Running)},
		{"vllm:num_requests_waiting", "gauge", "Requests in the queue.", float64(st.Waiting)},
		{"vllm:kv_cache_usage_perc", "gauge", "Share of the KV cache in use, 1 for all.", usage},
		{"vllm:gpu_cache_usage_perc", "gauge", "Share of the KV cache in use, 1 for all.", usage},
		{"vllm:prefix_cache_queries_total", "counter", "Prompt tokens looked up in the prefix cache.", float64(st.PrefixQueries)},
		{"vllm:prefix_cache_hits_total", "counter", "Prompt tokens found in the prefix cache.", float64(st.CachedTokens)},
		{"vllm:prompt_tokens_total", "counter", "Prompt tokens taken.", float64(st.PromptTokens)},
		{"vllm:generation_tokens_total", "counter", "Tokens made.", float64(st.CompletionTokens)},
		{"vllm:num_preemptions_total", "counter", "Requests that lost their place: none does, each has its room from the start.", 0},
	} {
		b = appendHelp(b, m.name, m.kind, m.help)
		b = appendSample(b, m.name, label, m.value)
	}
	b = appendHelp(b, "vllm:request_success_total", "counter", "Requests that ended well, by reason.")
	b = appendSample(b, "vllm:request_success_total", `finished_reason="stop",`+label, float64(s.stopped.Load()))
	b = appendSample(b, "vllm:request_success_total", `finished_reason="length",`+label, float64(s.lengthened.Load()))
	b = e.figures.firstToken.appendTo(b, "vllm:time_to_first_token_seconds", "Time to first token.", label)
	b = e.figures.gap.appendTo(b, "vllm:inter_token_latency_seconds", "Time between tokens.", label)
	b = e.figures.e2e.appendTo(b, "vllm:e2e_request_latency_seconds", "Time from arrival to last token.", label)
	for _, h := range []struct {
		name, help string
		of         *histogram
	}{
		{"queue", "Time from arrival until the prefill begins.", &e.figures.queue},
		{"prefill", "Time from there to the first token.", &e.figures.prefill},
		{"decode", "Time from the first token to the last.", &e.figures.decode},
		{"inference", "Time from the beginning of the prefill to the last token.", &e.figures.inference},
	} {
		b = h.of.appendTo(b, "vllm:request_"+h.name+"_time_seconds", h.help, label)
	}
	send(w, http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", b)
}

func appendHelp(b []byte, name, kind, help string) []byte {
	b = append(append(append(append(b, "# HELP "...), name...), ' '), help...)
	b = append(append(append(append(b, "\n# TYPE "...), name...), ' '), kind...)
	return append(b, '\n')
}

func appendSample(b []byte, name, labels string, value float64) []byte {
	b = append(append(append(append(b, name...), '{'), labels...), "} "...)
	return append(strconv.AppendFloat(b, value, 'g', -1, 64), '\n')
}
