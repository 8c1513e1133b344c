package mockllm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen/mockllm"
)

// raw sends a streaming request for three tokens by hand and returns the reads
// it is answered with, when the last came, and how the connection ended. The
// request asks the server to close it.
func (b *bench) raw(headers string) (reads []string, took time.Duration, err error) {
	b.t.Helper()
	c, err := b.net.Dial(context.Background())
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	start := time.Now()
	body := chat("hi", `,"max_tokens":3`)
	fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n%s\r\n%s", len(body), headers, body)
	buf := make([]byte, 1<<20)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			reads = append(reads, string(buf[:n]))
			took = time.Since(start)
		}
		if err != nil {
			return reads, took, err
		}
	}
}

func TestFaults(t *testing.T) {
	// Undisturbed: role at 0, tokens at 100, 110, 120 ms, four reads.
	type outcome struct {
		text  string // all reads joined
		reads int
		took  time.Duration
		err   error
	}
	has := func(want ...string) func(outcome) bool {
		return func(o outcome) bool {
			at := 0
			for _, w := range want {
				i := strings.Index(o.text[at:], w)
				if i < 0 {
					return false
				}
				at += i + len(w)
			}
			return true
		}
	}
	lacks := func(bad string) func(outcome) bool {
		return func(o outcome) bool { return !strings.Contains(o.text, bad) }
	}
	count := func(what string, n int) func(outcome) bool {
		return func(o outcome) bool { return strings.Count(o.text, what) == n }
	}
	took := func(d time.Duration) func(outcome) bool { return func(o outcome) bool { return o.took == d } }
	reads := func(n int) func(outcome) bool { return func(o outcome) bool { return o.reads == n } }
	ends := func(err error) func(outcome) bool { return func(o outcome) bool { return errors.Is(o.err, err) } }
	const terminator = "\r\n0\r\n\r\n"
	whole := has("HTTP/1.1 200 OK\r\n", `"role"`, `"content":" `, "[DONE]\n\n"+terminator)

	for _, tc := range []struct {
		fault  string
		checks []func(outcome) bool
	}{
		{"", []func(outcome) bool{whole, took(120 * ms), reads(4), count("data: ", 7), count(`"content":" `, 3), ends(io.EOF)}},
		{"status", []func(outcome) bool{has("HTTP/1.1 503 Service Unavailable\r\n", `{"error":{"message":"An injected fault."`), took(0)}},
		{"status status=429 retry_after=1500ms", []func(outcome) bool{has("HTTP/1.1 429 "), has("Retry-After: 2\r\n"), has(`"type":"rate_limit_error"`)}},
		{"status status=502 html=true", []func(outcome) bool{has("HTTP/1.1 502 "), has("<html>"), has("Content-Type: text/html")}},
		{"hangup", []func(outcome) bool{reads(0), ends(io.EOF)}},
		{"reset", []func(outcome) bool{reads(0), ends(syscall.ECONNRESET)}},
		// The model works while the head is held back: 1 s, then TTFT since arrival has long passed.
		{"slow_head for=1s", []func(outcome) bool{whole, took(time.Second)}},
		{"garbage", []func(outcome) bool{has("HTTP/1.1 200 OK\r\n", "<html>"), lacks("data:")}},
		{"cut after=2", []func(outcome) bool{count(`"content":" `, 2), lacks(terminator), lacks("[DONE]"), ends(io.EOF)}},
		{"cut", []func(outcome) bool{has(`"role"`), count(`"content":" `, 0), lacks(terminator), ends(io.EOF)}},
		{"cut after=3", []func(outcome) bool{count(`"content":" `, 3), lacks("finish_reason\":\"length"), lacks(terminator)}},
		{"torn after=1", []func(outcome) bool{count("data: ", 3), func(o outcome) bool { return !strings.HasSuffix(o.text, "\n") }, ends(io.EOF)}},
		{"no_done", []func(outcome) bool{has(`"usage"`, terminator), lacks("[DONE]")}},
		{"error_event after=1", []func(outcome) bool{count(`"content":" `, 1), has(`data: {"error":{"message":"An injected fault.","type":"server_error"`, terminator), lacks("[DONE]")}},
		// The pause begins when token 2 is due, at 110 ms; token 3 is long made when it ends.
		{"stall after=1 for=1s", []func(outcome) bool{whole, took(1110 * ms)}},
		{"crlf", []func(outcome) bool{has("[DONE]\r\n\r\n" + terminator), has("}\r\n\r\n"), lacks("}\n")}},
		{"comments", []func(outcome) bool{whole, count(": keep-alive\n\ndata: ", 7)}},
		{"tight", []func(outcome) bool{count("data:{", 6), has("data:[DONE]"), lacks("data: ")}},
		{"multiline", []func(outcome) bool{whole, count("\ndata: \"object\"", 6)}},
		{"bom", []func(outcome) bool{has("\r\n\ufeffdata: ")}},
		{"unicode", []func(outcome) bool{lacks(`"content":" `), count(`"content":"`+"\xf0\x9f", 3)}},
		{"pad size=100000", []func(outcome) bool{whole, func(o outcome) bool { return len(o.text) > 100_000 }}},
		{"group", []func(outcome) bool{whole, reads(2), took(120 * ms)}}, // role and two tokens, then the rest
		{"burst", []func(outcome) bool{whole, reads(1), took(120 * ms)}},
		{"shred size=5", []func(outcome) bool{whole, func(o outcome) bool { return o.reads > 200 }, took(120 * ms)}},
		{"delimited", []func(outcome) bool{has("Connection: close\r\n", "[DONE]\n\n"), lacks("chunked"), lacks("\r\n0\r\n"), ends(io.EOF)}},
		{"informational", []func(outcome) bool{has("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"), ends(io.EOF)}},
		{"closes", []func(outcome) bool{whole, lacks("Connection: close"), ends(io.EOF)}},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			cfg := fixed(100*ms, 10*ms)
			var headers string
			if tc.fault != "" {
				f, err := mockllm.ParseFault(tc.fault)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Faults = []mockllm.Fault{f}
			}
			if tc.fault != "closes" {
				headers = "Connection: close\r\n"
			}
			inBubble(t, cfg, func(t *testing.T, b *bench) {
				got, d, err := b.raw(headers)
				if tc.fault != "closes" && tc.fault != "delimited" {
					for i := range got {
						got[i] = strings.Replace(got[i], "Connection: close\r\n", "", 1)
					}
				}
				o := outcome{strings.Join(got, ""), len(got), d, err}
				for i, check := range tc.checks {
					if !check(o) {
						t.Errorf("check %d fails: %d reads, %v, %v\n%s", i, o.reads, o.took, o.err, o.text)
					}
				}
			})
		})
	}
}

func TestAStallWithoutEndLastsUntilTheClientLeaves(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.Faults = []mockllm.Fault{{Kind: "stall", After: 1}}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://mock/v1/chat/completions", strings.NewReader(chat("x", "")))
		resp, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		start := time.Now()
		if _, err := io.ReadAll(resp.Body); err == nil || time.Since(start) != time.Hour {
			t.Errorf("%v after %v, want the timeout after 1h", err, time.Since(start))
		}
	})
}

func TestFaultsStrikeEveryNthOrBySeededChance(t *testing.T) {
	statuses := func(f mockllm.Fault, seed uint64, n int) (failed []int) {
		cfg := fixed(0, 0)
		cfg.Seed, cfg.Faults = seed, []mockllm.Fault{f}
		inBubble(t, cfg, func(t *testing.T, b *bench) {
			for i := range n {
				resp := b.post("/v1/chat/completions", chat("x", `,"max_tokens":1`))
				io.Copy(io.Discard, resp.Body)
				if resp.Body.Close(); resp.StatusCode != 200 {
					failed = append(failed, i)
				}
			}
		})
		return failed
	}
	if diff := cmp.Diff([]int{2, 5, 8}, statuses(mockllm.Fault{Kind: "status", Every: 3}, 0, 10)); diff != "" {
		t.Error(diff)
	}
	f := mockllm.Fault{Kind: "status", Probability: 0.3}
	a := statuses(f, 1, 1000)
	if !cmp.Equal(a, statuses(f, 1, 1000)) || cmp.Equal(a, statuses(f, 2, 1000)) {
		t.Error("chance does not follow the seed")
	}
	// 300 expected, standard deviation 14.5.
	if len(a) < 240 || len(a) > 360 {
		t.Errorf("%d of 1000 failed, want about 300", len(a))
	}
}

func TestAClientMayOrderAFault(t *testing.T) {
	inBubble(t, fixed(0, 0), func(t *testing.T, b *bench) {
		for fault, want := range map[string]int{"status status=418": 418, "no such": 400} {
			resp := b.post("/v1/chat/completions", chat("x", ""), "X-Mock-Fault", fault)
			if resp.Body.Close(); resp.StatusCode != want {
				t.Errorf("%s: status %d, want %d", fault, resp.StatusCode, want)
			}
		}
	})
}

func TestRefusedConnectionsAreReset(t *testing.T) {
	cfg := fixed(0, 0)
	cfg.Faults = []mockllm.Fault{{Kind: "refuse", Every: 2}}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		for i := range 4 {
			_, _, err := b.raw("Connection: close\r\n")
			if want := i%2 == 1; want != (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
				t.Errorf("connection %d: %v", i, err)
			}
		}
	})
}

func TestTheQuotaRefillsByTheSecond(t *testing.T) {
	cfg := fixed(0, 0)
	cfg.RequestsPerSecond, cfg.Burst = 0.5, 3
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		var got []string
		ask := func() {
			resp := b.post("/v1/chat/completions", chat("x", `,"max_tokens":1`))
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			got = append(got, fmt.Sprint(resp.StatusCode, resp.Header.Get("Retry-After")))
		}
		for range 5 {
			ask()
		}
		time.Sleep(2 * time.Second) // one more
		ask()
		ask()
		if diff := cmp.Diff([]string{"200", "200", "200", "4292", "4292", "200", "4292"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnIdleConnectionIsClosedByItsKeepAlive(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.KeepAlive = 5 * time.Second
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		start := time.Now()
		_, _, err := b.raw("")
		if took := time.Since(start); err != io.EOF || took != 5120*ms {
			t.Errorf("closed after %v with %v, want 120 ms of answer and 5 s", took, err)
		}
	})
}

// An answer that takes longer than the keep-alive time is no idleness, and a
// connection in use is never closed.
func TestKeepAliveCountsIdleTimeOnly(t *testing.T) {
	cfg := fixed(20*time.Second, 0)
	cfg.KeepAlive = 5 * time.Second
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		for range 3 {
			b.stream("x", `,"max_tokens":2`)
			time.Sleep(4 * time.Second)
		}
		if n := b.srv.Stats().Connections; n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

func TestServeEndsInGrace(t *testing.T) {
	for _, tc := range []struct {
		grace time.Duration
		took  time.Duration
		done  bool
	}{{0, 50 * ms, false}, {30 * ms, 80 * ms, false}, {time.Second, 120 * ms, true}} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fixed(100*ms, 10*ms)
			cfg.Grace = tc.grace
			b := newBench(t, cfg)
			ctx, cancel := context.WithTimeout(context.Background(), 50*ms)
			defer cancel()
			start := time.Now()
			text := make(chan string)
			go func() {
				reads, _, _ := b.raw("")
				text <- strings.Join(reads, "")
			}()
			if err := b.srv.Serve(ctx, b.net); err != nil {
				t.Error(err)
			}
			if took, done := time.Since(start), strings.Contains(<-text, "[DONE]"); took != tc.took || done != tc.done {
				t.Errorf("grace %v: ended after %v, answer complete: %v; want %v, %v", tc.grace, took, done, tc.took, tc.done)
			}
		})
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	cfg := mockllm.DefaultConfig()
	cfg.TTFT, cfg.Jitter, cfg.ReasoningKey = time.Second, -1, "thoughts"
	cfg.Faults = []mockllm.Fault{{Kind: "stauts"}, {Kind: "crlf", After: 1}, {Kind: "cut", Every: 1, Probability: 1}}
	err := cfg.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"ttft, itl: have no effect", "jitter: -1 is negative", "reasoning_key", "faults[0]: kind: \"stauts\" is unknown", "faults[1]: after", "faults[2]: every and probability"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if err := mockllm.DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	if err := (mockllm.Config{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}
