package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/metrics"
)

// measured returns the values of the tags that a record has of the asked ones.
func measured(r *loadgen.Record, tags ...string) map[string]float64 {
	var m metrics.Measurement
	metrics.Measure(r, &m)
	got := map[string]float64{}
	for _, tag := range tags {
		d, _ := metrics.Lookup(tag)
		if v, ok := m.Value(d.ID); ok {
			got[tag] = v
		}
	}
	return got
}

func TestTimesOfARecord(t *testing.T) {
	tags := []string{
		"time_to_first_token", "time_to_second_token", "time_to_first_output_token", "request_latency",
		"inter_token_latency", "output_token_throughput_per_user", "decode_duration", "e2e_output_token_throughput",
	}
	change := func(r *loadgen.Record, f func(*loadgen.Record)) *loadgen.Record { f(r); return r }
	for _, row := range []struct {
		name string
		rec  *loadgen.Record
		want map[string]float64
	}{
		{
			"several tokens in one chunk: ITL divides by tokens, not by events",
			with(streamed(0, 100*ms, 300*ms), 11),
			map[string]float64{
				"time_to_first_token": 100, "time_to_second_token": 200, "time_to_first_output_token": 100, "request_latency": 300,
				"inter_token_latency": 20, "output_token_throughput_per_user": 50, "decode_duration": 200, "e2e_output_token_throughput": 11 / 0.3,
			},
		},
		{
			"reasoning sets TTFT, content the time to first output token",
			change(with(streamed(0, 100*ms, 200*ms, 300*ms), 3), func(r *loadgen.Record) { r.Chunks[0].Kind, r.Chunks[1].Kind = loadgen.Reasoning, loadgen.Reasoning }),
			map[string]float64{
				"time_to_first_token": 100, "time_to_second_token": 100, "time_to_first_output_token": 300, "request_latency": 300,
				"inter_token_latency": 100, "output_token_throughput_per_user": 10, "decode_duration": 200, "e2e_output_token_throughput": 10,
			},
		},
		{
			"reasoning without an answer has no first output token",
			change(with(streamed(0, 100*ms), 1), func(r *loadgen.Record) { r.Chunks[0].Kind = loadgen.Reasoning }),
			map[string]float64{"time_to_first_token": 100, "request_latency": 100, "e2e_output_token_throughput": 10},
		},
		{
			"one token: no ITL",
			with(streamed(0, 100*ms), 1),
			map[string]float64{"time_to_first_token": 100, "time_to_first_output_token": 100, "request_latency": 100, "e2e_output_token_throughput": 10},
		},
		{
			"one token in two chunks: no ITL",
			with(streamed(0, 100*ms, 110*ms), 1),
			map[string]float64{
				"time_to_first_token": 100, "time_to_second_token": 10, "time_to_first_output_token": 100, "request_latency": 110,
				"decode_duration": 10, "e2e_output_token_throughput": 1 / 0.11,
			},
		},
		{
			"length unknown: no figure that needs it",
			streamed(0, 100*ms, 200*ms),
			map[string]float64{
				"time_to_first_token": 100, "time_to_second_token": 100, "time_to_first_output_token": 100, "request_latency": 200, "decode_duration": 100,
			},
		},
		{
			"all chunks in one read: no rate is made of nothing",
			change(with(streamed(0, 100*ms, 100*ms+250), 1002), func(r *loadgen.Record) { r.Chunks[1].Merged = true }),
			map[string]float64{
				"time_to_first_token": 100, "time_to_first_output_token": 100, "request_latency": 100.00025, "e2e_output_token_throughput": 1002 / 0.10000025,
			},
		},
		{
			"many tokens in the one chunk: likewise",
			with(streamed(0, 100*ms), 50),
			map[string]float64{"time_to_first_token": 100, "time_to_first_output_token": 100, "request_latency": 100, "e2e_output_token_throughput": 500},
		},
		{
			"not streamed: no TTFT",
			change(with(streamed(0, 100*ms), 50), func(r *loadgen.Record) { r.Streamed = false }),
			map[string]float64{"request_latency": 100, "e2e_output_token_throughput": 500},
		},
		{"a failure has no times", failed(0, 100*ms, loadgen.FailTimeout), map[string]float64{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, measured(row.rec, tags...), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCoalescedTimingIsFlagged(t *testing.T) {
	one := with(streamed(0, 100*ms), 50)
	merged := with(streamed(0, 100*ms, 100*ms, 100*ms), 3)
	merged.Chunks[1].Merged, merged.Chunks[2].Merged = true, true
	partly := with(streamed(0, 100*ms, 100*ms, 200*ms), 3)
	partly.Chunks[1].Merged = true
	plain := with(streamed(0, 100*ms), 50)
	plain.Streamed = false
	for _, row := range []struct {
		name string
		rec  *loadgen.Record
		want bool
	}{
		{"fifty tokens in one chunk", one, true},
		{"three chunks in one read", merged, true},
		{"two chunks in one read and one in another", partly, false},
		{"a single token", with(streamed(0, 100*ms), 1), false},
		{"a reply that was not streamed", plain, false},
	} {
		var m metrics.Measurement
		if metrics.Measure(row.rec, &m); m.Coalesced != row.want {
			t.Errorf("%s: coalesced is %v", row.name, m.Coalesced)
		}
	}
}

func TestTokensOfARecord(t *testing.T) {
	tags := []string{
		"output_sequence_length", "output_token_count", "reasoning_token_count", "input_sequence_length",
		"usage_prompt_tokens", "usage_completion_tokens", "usage_total_tokens",
		"usage_prompt_tokens_diff_pct", "usage_completion_tokens_diff_pct", "osl_mismatch_diff_pct",
	}
	for _, row := range []struct {
		name             string
		usage            loadgen.Usage
		output, thought  int // by the tokenizer
		input, tmpl, max int
		want             map[string]float64
	}{
		{
			"the server's counts come first, and both are compared",
			loadgen.Usage{PromptTokens: 110, CompletionTokens: 20, ReasoningTokens: 5, CachedTokens: -1},
			20, 5, 96, 4, 16,
			map[string]float64{
				"output_sequence_length": 20, "output_token_count": 15, "reasoning_token_count": 5, "input_sequence_length": 96,
				"usage_prompt_tokens": 110, "usage_completion_tokens": 20, "usage_total_tokens": 130,
				"usage_prompt_tokens_diff_pct": 10, "usage_completion_tokens_diff_pct": 20, "osl_mismatch_diff_pct": 25,
			},
		},
		{
			"reasoning counted beside the completion is part of the output",
			loadgen.Usage{PromptTokens: 10, CompletionTokens: 2, ReasoningTokens: 20, CachedTokens: -1, TotalTokens: 32},
			2, 20, 10, 0, 0,
			map[string]float64{
				"output_sequence_length": 22, "output_token_count": 2, "reasoning_token_count": 20, "input_sequence_length": 10,
				"usage_prompt_tokens": 10, "usage_completion_tokens": 2, "usage_total_tokens": 32,
				"usage_prompt_tokens_diff_pct": 0, "usage_completion_tokens_diff_pct": 0,
			},
		},
		{
			"without usage the tokenizer counts",
			loadgen.NoUsage, 8, 2, 100, 0, 0,
			map[string]float64{"output_sequence_length": 10, "output_token_count": 8, "reasoning_token_count": 2, "input_sequence_length": 100},
		},
		{
			"a server that claims no tokens is not believed",
			loadgen.Usage{PromptTokens: -1, CompletionTokens: 0, ReasoningTokens: -1, CachedTokens: -1},
			8, 0, 0, 0, 0,
			map[string]float64{"output_sequence_length": 8, "output_token_count": 8, "usage_completion_tokens": 0, "usage_completion_tokens_diff_pct": 100},
		},
		{
			"usage without a word on reasoning: the tokenizer splits",
			loadgen.Usage{PromptTokens: -1, CompletionTokens: 12, ReasoningTokens: -1, CachedTokens: -1},
			8, 4, 0, 0, 0,
			map[string]float64{
				"output_sequence_length": 12, "output_token_count": 8, "reasoning_token_count": 4,
				"usage_completion_tokens": 12, "usage_completion_tokens_diff_pct": 0,
			},
		},
		{
			"no tokenizer: the prompt's length is the server's",
			loadgen.Usage{PromptTokens: 50, CompletionTokens: -1, ReasoningTokens: -1, CachedTokens: -1},
			-1, -1, 0, 0, 0,
			map[string]float64{"input_sequence_length": 50, "usage_prompt_tokens": 50},
		},
		{"nobody counted", loadgen.NoUsage, -1, -1, 0, 0, 16, map[string]float64{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := streamed(0, 100*ms, 200*ms)
			r.Usage, r.OutputTokens, r.ReasoningTokens = row.usage, row.output, row.thought
			r.Request.InputTokens, r.Request.TemplateTokens, r.Request.MaxTokens = row.input, row.tmpl, row.max
			if diff := cmp.Diff(row.want, measured(r, tags...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Due at 1 s, sent at 1.5 s: what was counted from sending at 100 and 300 ms is
// 600 and 800 ms from due.
func TestLatencyExistsFromSentAndFromDue(t *testing.T) {
	r := streamed(1500*ms, 100*ms, 300*ms)
	r.Due = time.Second
	want := map[string]float64{
		"time_to_first_token": 100, "time_to_first_token_from_due": 600,
		"request_latency": 300, "effective_latency": 800, "credit_to_start_latency": 500,
	}
	got := measured(r, "time_to_first_token", "time_to_first_token_from_due", "request_latency", "effective_latency", "credit_to_start_latency")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Waited 1 ms for a slot, 2 for the name, 3 for TCP, 4 for TLS, on the wire at
// 15: sending took 5. The head came at 40, 25 later; the last output at 100, 60
// later. Duration is 5 + 25 + 60 = 90 ms, and the 10 before it make 100.
func TestAConnectionsSteps(t *testing.T) {
	r := streamed(0, 100*ms)
	r.Head = 40 * ms
	r.Conn = loadgen.Conn{Wait: 1 * ms, DNS: 2 * ms, Dial: 3 * ms, TLS: 4 * ms, Wrote: 15 * ms}
	r.BytesOut, r.BytesIn = 512, 2048
	want := map[string]float64{
		"http_req_blocked": 1, "http_req_dns_lookup": 2, "http_req_connecting": 7, "http_req_sending": 5, "http_req_waiting": 25,
		"http_req_receiving": 60, "http_req_duration": 90, "http_req_connection_reused": 0, "http_req_data_sent": 0.5, "http_req_data_received": 2,
		"http_req_connection_overhead": 10, "http_req_total": 100,
	}
	var tags []string
	for tag := range want {
		tags = append(tags, tag)
	}
	if diff := cmp.Diff(want, measured(r, tags...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type lengths struct{ calls int }

func (l *lengths) CountBytes(text []byte) int { l.calls++; return len(text) }

func TestTokensAreCountedWhereTheyAreNeeded(t *testing.T) {
	answer := func(index, usage int) *loadgen.Record {
		r := streamed(0, 100*ms)
		r.Index = index
		r.Text, r.Tools, r.Thought = []byte("abc"), []byte("de"), []byte("f")
		return with(r, usage)
	}
	bad := failed(0, ms, loadgen.FailStreamCut)
	bad.Text = []byte("abc")
	for _, row := range []struct {
		name            string
		rec             *loadgen.Record
		output, thought int
	}{
		{"text and tool calls are counted together, reasoning apart", answer(1, -1), 5, 1},
		{"a server's count does not make it needless", answer(1, 6), 5, 1},
		{"a failure is not counted", bad, -1, -1},
	} {
		metrics.NewTokenCount(&lengths{}).Fill(row.rec)
		if row.rec.OutputTokens != row.output || row.rec.ReasoningTokens != row.thought {
			t.Errorf("%s: %d and %d, want %d and %d", row.name, row.rec.OutputTokens, row.rec.ReasoningTokens, row.output, row.thought)
		}
	}
	r := answer(0, -1)
	if metrics.NewTokenCount(nil).Fill(r); r.OutputTokens != -1 {
		t.Error("counted without a counter")
	}
	tokenizer := &lengths{}
	count := metrics.NewTokenCount(tokenizer)
	for range 10 {
		if count.Fill(r); r.OutputTokens != 5 || r.ReasoningTokens != 1 {
			t.Errorf("%d and %d tokens, want 5 and 1", r.OutputTokens, r.ReasoningTokens)
		}
	}
	if tokenizer.calls != 3 {
		t.Errorf("three texts were counted %d times", tokenizer.calls)
	}
}

func TestReasoningThatIsNotSentIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		kind     loadgen.ChunkKind
		thoughts int
		want     bool
	}{
		"counted, not sent": {loadgen.Content, 40, true},
		"counted and sent":  {loadgen.ReasoningContent, 40, false},
		"none":              {loadgen.Content, 0, false},
		"not counted":       {loadgen.Content, -1, false},
	} {
		r := with(streamed(0, 100*ms, 200*ms), 50)
		r.Usage.ReasoningTokens, r.Chunks[0].Kind = row.thoughts, row.kind
		notes := collect(t, metrics.Facts{}, r).Validity.Notes
		told := len(notes) == 1 && strings.HasPrefix(notes[0], "hidden reasoning: in 1 of 1 answers the server counts tokens of reasoning that it did not send, 40 on average")
		if told != row.want {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}
