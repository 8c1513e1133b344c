package mockllm_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/mockllm"
)

// shapes names what each event of a stream is.
func shapes(t *testing.T, all []event) []string {
	t.Helper()
	var out []string
	for _, e := range all {
		if e.data == "[DONE]" {
			out = append(out, "done")
			continue
		}
		c := parse(t, e.data)
		switch {
		case c.Error != nil:
			out = append(out, "error "+c.Error.Code)
		case len(c.Choices) == 0:
			out = append(out, fmt.Sprintf("usage %d", c.Usage.Completion))
		case c.Choices[0].FinishReason != nil:
			out = append(out, "finish "+*c.Choices[0].FinishReason)
		case c.Choices[0].Delta.Role != "":
			out = append(out, "role")
		case c.Choices[0].Delta.Reasoning != "":
			out = append(out, fmt.Sprintf("reasoning %d", len(c.Choices[0].Delta.Reasoning)/4))
		case len(c.Choices[0].Delta.ToolCalls) > 0:
			call := c.Choices[0].Delta.ToolCalls[0]
			out = append(out, strings.TrimSpace(fmt.Sprintf("call %s %d", call.Function.Name, len(call.Function.Arguments)/4)))
		case c.Choices[0].Delta.Content != nil:
			out = append(out, fmt.Sprintf("content %d", len(*c.Choices[0].Delta.Content)/4))
		default:
			out = append(out, fmt.Sprintf("text %d", len(c.Choices[0].Text)/4))
		}
	}
	return out
}

func TestStreamsHaveTheFormOfOpenAI(t *testing.T) {
	const tools = `,"tools":[{"type":"function","function":{"name":"look"}}]`
	for _, tc := range []struct {
		name   string
		change func(*mockllm.Config)
		path   string
		body   string
		want   string
	}{
		{
			"a chat", nil, "chat/completions", chat("hi", `,"max_tokens":2`),
			"role|content 1|content 1|finish length|usage 2|done",
		},
		{
			"max_completion_tokens", nil, "chat/completions", chat("hi", `,"max_completion_tokens":1,"max_tokens":9`),
			"role|content 1|finish length|usage 1|done",
		},
		{
			"no usage unless asked", nil, "chat/completions",
			`{"model":"m","stream":true,"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`,
			"role|content 1|finish length|done",
		},
		{
			"a completion", nil, "completions", `{"model":"m","stream":true,"max_tokens":2,"prompt":["hi"],"stream_options":{"include_usage":true}}`,
			"text 1|text 1|finish length|usage 2|done",
		},
		{
			"the own length when none is asked", func(c *mockllm.Config) { c.OutputTokens = 3 }, "chat/completions", chat("hi", ""),
			"role|content 1|content 1|content 1|finish stop|usage 3|done",
		},
		{
			"an end of itself", func(c *mockllm.Config) { c.OutputTokensMean = 2 }, "chat/completions", chat("hi", `,"max_tokens":9`),
			"role|content 1|content 1|finish stop|usage 2|done",
		},
		{
			"min_tokens", func(c *mockllm.Config) { c.OutputTokensMean = 1 }, "chat/completions", chat("hi", `,"max_tokens":9,"min_tokens":2`),
			"role|content 1|content 1|finish stop|usage 2|done",
		},
		{
			"ignore_eos", func(c *mockllm.Config) { c.OutputTokensMean = 1 }, "chat/completions", chat("hi", `,"max_tokens":2,"ignore_eos":true`),
			"role|content 1|content 1|finish length|usage 2|done",
		},
		{
			"several tokens in a chunk, reasoning first", func(c *mockllm.Config) { c.TokensPerChunk, c.ReasoningTokens = 2, 4 }, "chat/completions", chat("hi", `,"max_tokens":7`),
			"role|reasoning 1|reasoning 2|reasoning 1|content 1|content 2|finish length|usage 7|done",
		},
		{
			"a tool call", func(c *mockllm.Config) { c.TokensPerChunk = 9 }, "chat/completions", chat("hi", `,"max_tokens":5,"tool_choice":"required"`+tools),
			"role|call look 0|call  1|call  4|finish tool_calls|usage 5|done",
		},
		{
			"prose and a tool call", func(c *mockllm.Config) { c.TokensPerChunk = 9 }, "chat/completions", chat("hi", `,"max_tokens":6`+tools),
			"role|content 1|content 2|call look 0|call  3|finish tool_calls|usage 6|done",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := fixed(ms, ms)
			if tc.change != nil {
				tc.change(&cfg)
			}
			inBubble(t, cfg, func(t *testing.T, b *bench) {
				resp := b.post("/v1/"+tc.path, tc.body)
				if got := resp.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
					t.Errorf("content type %q", got)
				}
				got := strings.Join(shapes(t, events(t, resp, startOfTime)), "|")
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestAChunkLooksAsOpenAIWritesIt(t *testing.T) {
	inBubble(t, fixed(ms, ms), func(t *testing.T, b *bench) {
		all := b.stream("hi", `,"max_tokens":1`)
		var got map[string]any
		if err := json.Unmarshal([]byte(all[1].data), &got); err != nil {
			t.Fatal(err)
		}
		text := parse(t, all[1].data).Choices[0].Delta.Content
		want := map[string]any{
			"id": got["id"], "object": "chat.completion.chunk", "created": 946684800.0, "model": "m", // a bubble's time begins in 2000
			"choices": []any{map[string]any{"index": 0.0, "delta": map[string]any{"content": *text}, "logprobs": nil, "finish_reason": nil}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAWholeReplyCountsItsTokens(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.ReasoningTokens, cfg.TemplateTokens = 2, 3
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		resp := b.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"12345"}],"max_tokens":6}`)
		defer resp.Body.Close()
		var got struct {
			Object  string
			Choices []struct {
				Message struct {
					Role, Content string
					Reasoning     string `json:"reasoning_content"`
				}
				FinishReason string `json:"finish_reason"`
			}
			Usage usage
		}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		c := got.Choices[0]
		if got.Object != "chat.completion" || c.Message.Role != "assistant" || c.FinishReason != "length" ||
			len(c.Message.Content) != 16 || len(c.Message.Reasoning) != 8 {
			t.Errorf("reply %+v, want 2 tokens of reasoning and 4 of content, 4 bytes each", got)
		}
		// 3 of the template and 5 bytes: 2 tokens.
		if u := got.Usage; u.Prompt != 5 || u.Completion != 6 || u.Total != 11 || u.Made.Reasoning != 2 {
			t.Errorf("usage %+v", u)
		}
	})
}

func TestRefusalsHaveTheFormOfOpenAI(t *testing.T) {
	cfg := fixed(0, 0)
	cfg.Models, cfg.APIKey = []string{"m"}, "secret"
	const key = "Bearer secret"
	for _, tc := range []struct {
		name, auth, body string
		status           int
		code             string
	}{
		{"a missing key", "", chat("hi", ""), 401, "invalid_api_key"},
		{"a wrong key", "Bearer guess", chat("hi", ""), 401, "invalid_api_key"},
		{"an unknown model", key, `{"model":"x","messages":[{"content":"hi"}]}`, 404, "model_not_found"},
		{"no JSON", key, `{"model`, 400, "invalid_request"},
		{"no messages", key, `{"model":"m"}`, 400, "invalid_request"},
		{"two answers", key, chat("hi", `,"n":2`), 400, "invalid_request"},
		{"no tokens", key, chat("hi", `,"max_tokens":0`), 400, "invalid_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, cfg, func(t *testing.T, b *bench) {
				resp := b.post("/v1/chat/completions", tc.body, "Authorization", tc.auth)
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				if c := parse(t, string(body)); resp.StatusCode != tc.status || c.Error == nil || c.Error.Code != tc.code || c.Error.Message == "" || c.Error.Type == "" {
					t.Errorf("%d %s, want %d with code %s", resp.StatusCode, body, tc.status, tc.code)
				}
			})
		})
	}
}

func TestPromptsThatExceedTheKVCacheAreRefused(t *testing.T) {
	cfg := batching()
	cfg.KVCacheTokens = 10
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		resp := b.post("/v1/chat/completions", chat("1234", `,"max_tokens":10`))
		resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("status %d for 1 + 10 tokens in 10, want 400", resp.StatusCode)
		}
	})
}

func TestSideRoutes(t *testing.T) {
	cfg := batching()
	cfg.Models = []string{"m", "other"}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		if got := b.get("/v1/models"); !strings.Contains(got, `"id":"m"`) || !strings.Contains(got, `"id":"other"`) {
			t.Errorf("models: %s", got)
		}
		if got := b.get("/v1/models/other"); !strings.Contains(got, `"id":"other"`) {
			t.Errorf("a model by its name: %s", got)
		}
		if got := b.get("/v1/models/third"); !strings.Contains(got, "does not exist") {
			t.Errorf("an unknown model: %s", got)
		}
		if got := b.get("/health"); got != "" {
			t.Errorf("health: %q", got)
		}
		prompt := strings.Repeat("a b ", 40)
		for range 2 {
			b.stream(prompt, `,"max_tokens":3`)
		}
		for _, want := range []string{
			`vllm:num_requests_running{model_name="m"} 0`,
			`vllm:num_requests_waiting{model_name="m"} 0`,
			`vllm:kv_cache_usage_perc{model_name="m"} 0`,
			`vllm:prompt_tokens_total{model_name="m"} 80`,
			`vllm:generation_tokens_total{model_name="m"} 6`,
			`vllm:prefix_cache_queries_total{model_name="m"} 80`,
			`vllm:prefix_cache_hits_total{model_name="m"} 32`,
			`vllm:request_success_total{finished_reason="length",model_name="m"} 2`,
			// 50 ms and 18 ms
			`vllm:time_to_first_token_seconds_bucket{model_name="m",le="0.02"} 1`,
			`vllm:time_to_first_token_seconds_bucket{model_name="m",le="0.06"} 2`,
			`vllm:time_to_first_token_seconds_sum{model_name="m"} 0.068`,
			`vllm:inter_token_latency_seconds_count{model_name="m"} 4`,
			`vllm:e2e_request_latency_seconds_bucket{model_name="m",le="+Inf"} 2`,
			// Neither waited; each decoded two more tokens, of 10 ms.
			`vllm:request_queue_time_seconds_sum{model_name="m"} 0`,
			`vllm:request_prefill_time_seconds_sum{model_name="m"} 0.068`,
			`vllm:request_decode_time_seconds_sum{model_name="m"} 0.04`,
			`vllm:request_inference_time_seconds_count{model_name="m"} 2`,
			`vllm:num_preemptions_total{model_name="m"} 0`,
		} {
			if got := b.get("/metrics"); !strings.Contains(got, want+"\n") {
				t.Errorf("metrics lack %s in\n%s", want, got)
			}
		}
		var st mockllm.Stats
		if err := json.Unmarshal([]byte(b.get("/mock/stats")), &st); err != nil {
			t.Fatal(err)
		}
		if st.Requests != 2 || st.PrefixHits != 1 || st.CachedTokens != 32 || st.DistinctPrompts != 1 || st.StepsByBatch[1] != 6 || len(st.RecentSteps) != 6 {
			t.Errorf("stats %+v", st)
		}
	})
}
