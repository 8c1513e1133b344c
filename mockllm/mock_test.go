package mockllm_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/internal/memnet"
	"loadgen/mockllm"
)

// A bench is an endpoint inside a bubble and a way to reach it.
type bench struct {
	t    *testing.T
	srv  *mockllm.Server
	net  *memnet.Listener
	http *http.Client
}

// inBubble runs a test against an endpoint in virtual time.
func inBubble(t *testing.T, cfg mockllm.Config, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, cfg)
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error)
		go func() { served <- b.srv.Serve(ctx, b.net) }()
		test(t, b)
		b.http.CloseIdleConnections()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// newBench makes an endpoint that is not served yet.
func newBench(t *testing.T, cfg mockllm.Config) *bench {
	t.Helper()
	srv, err := mockllm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := memnet.Listen()
	return &bench{t, srv, l, &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}}
}

// fixed is an endpoint that takes exactly ttft and itl.
func fixed(ttft, itl time.Duration) mockllm.Config {
	cfg := mockllm.DefaultConfig()
	cfg.Timing, cfg.TTFT, cfg.ITL = mockllm.Fixed, ttft, itl
	return cfg
}

// An event is one data line of a stream and when it came.
type event struct {
	at   time.Duration
	data string
}

type chunk struct {
	ID, Object, Model string
	Choices           []struct {
		Delta struct {
			Role      string
			Content   *string
			Reasoning string `json:"reasoning_content"`
			ToolCalls []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		Text         string
		FinishReason *string `json:"finish_reason"`
	}
	Usage *usage
	Error *struct{ Message, Type, Code string }
	Sent  int64 `json:"mock_sent_ns"`
	Got   int64 `json:"mock_received_ns"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Made struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// post sends a chat request; extra is more of its body, headers are pairs.
func (b *bench) post(path, body string, headers ...string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequest("POST", "http://mock"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp
}

func chat(prompt string, extra string) string {
	return fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}],"stream":true,"stream_options":{"include_usage":true}%s}`, prompt, extra)
}

// stream sends a streaming chat request and returns its events, stamped since
// it was sent.
func (b *bench) stream(prompt, extra string, headers ...string) []event {
	b.t.Helper()
	start := time.Now()
	return events(b.t, b.post("/v1/chat/completions", chat(prompt, extra), headers...), start)
}

func events(t *testing.T, resp *http.Response, start time.Time) []event {
	t.Helper()
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("status %d: %s", resp.StatusCode, body)
	}
	var all []event
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			all = append(all, event{time.Since(start), data})
		}
	}
	return all
}

// startOfTime stands for a start that no test looks at.
var startOfTime time.Time

func parse(t *testing.T, data string) chunk {
	t.Helper()
	var c chunk
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return c
}

// outputs returns when chunks of output came, and the usage at the end.
func outputs(t *testing.T, all []event) (at []time.Duration, u usage) {
	t.Helper()
	for _, e := range all {
		if e.data == "[DONE]" {
			continue
		}
		c := parse(t, e.data)
		if c.Usage != nil {
			u = *c.Usage
		}
		if len(c.Choices) == 0 {
			continue
		}
		d := c.Choices[0].Delta
		if d.Content != nil && *d.Content != "" || d.Reasoning != "" || len(d.ToolCalls) > 0 && d.ToolCalls[0].Function.Arguments != "" {
			at = append(at, e.at)
		}
	}
	return at, u
}

func (b *bench) get(path string) string {
	b.t.Helper()
	resp, err := b.http.Get("http://mock" + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

func TestFixedTimingIsExact(t *testing.T) {
	inBubble(t, fixed(200*time.Millisecond, 20*time.Millisecond), func(t *testing.T, b *bench) {
		at, u := outputs(t, b.stream("hello", `,"max_tokens":5`))
		want := "[200ms 220ms 240ms 260ms 280ms]"
		if fmt.Sprint(at) != want {
			t.Errorf("tokens came at %v, want %v", at, want)
		}
		if u.Prompt != 2 || u.Completion != 5 || u.Total != 7 {
			t.Errorf("usage %+v, want 2 + 5 = 7", u)
		}
	})
}
