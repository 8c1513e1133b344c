package mockllm_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/mockllm"
)

const ms = time.Millisecond

// batching is an endpoint whose times are easy to add up: a prefill takes 10 ms
// and 1 ms a token, a decode step 8 ms and 2 ms a sequence.
func batching() mockllm.Config {
	cfg := mockllm.DefaultConfig()
	cfg.PrefillBase, cfg.PrefillPerToken = 10*ms, 1*ms
	cfg.DecodeBase, cfg.DecodePerSeq = 8*ms, 2*ms
	return cfg
}

// A visit is a request sent at a time.
type visit struct {
	at     time.Duration
	prompt int // tokens, 4 bytes each
	make   int // tokens
}

func TestBatchingTimesFollowTheFormulas(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*mockllm.Config)
		visits []visit
		want   []string // when the tokens of each visit come, since the test began
		cached []int    // prompt tokens, by visit; nil for none
	}{
		{
			"a request alone: prefill 10+4, then steps of 8+2", nil,
			[]visit{{0, 4, 3}},
			[]string{"14ms 24ms 34ms"},
			nil,
		},
		{
			// The first begins at once. Then step 14..38 decodes it (10) and
			// prefills the second (14), 38..62 likewise, 62..72 decodes alone.
			"beyond max_num_seqs the rest wait in order",
			func(c *mockllm.Config) { c.MaxNumSeqs = 2 },
			[]visit{{0, 4, 2}, {0, 4, 2}, {0, 4, 2}},
			[]string{"14ms 38ms", "38ms 62ms", "62ms 72ms"},
			nil,
		},
		{
			// 10 tokens each are reserved: two fit into 20.
			"a full KV cache makes the third wait",
			func(c *mockllm.Config) { c.KVCacheTokens = 20 },
			[]visit{{0, 4, 6}, {0, 4, 2}, {0, 9, 2}},
			// steps: 14 | 38 (A10 B14) | 50 (A,B: 8+4), B ends, C needs 11 of 20-10:
			// waits | 60 | 70 | 80 A ends | C: 99 | 109
			[]string{"14ms 38ms 50ms 60ms 70ms 80ms", "38ms 50ms", "99ms 109ms"},
			nil,
		},
		{
			// 40 tokens in pieces of 16, 16, 8: a prefill alone takes as long as whole.
			"chunked prefill alone takes no longer",
			func(c *mockllm.Config) { c.PrefillChunk = 16 },
			[]visit{{0, 40, 2}},
			[]string{"50ms 60ms"},
			nil,
		},
		{
			// B comes in the step 14..24. Each of its pieces shares a step with A's
			// decode of 10: 24..60 (10+10+16), 60..86 (10+16), 86..104 (10+8); then
			// both decode: 12.
			"chunked prefill lets others decode between the pieces",
			func(c *mockllm.Config) { c.PrefillChunk = 16 },
			[]visit{{0, 4, 6}, {19 * ms, 40, 2}},
			[]string{"14ms 24ms 60ms 86ms 104ms 116ms", "104ms 116ms"},
			nil,
		},
		{
			// 40 tokens are two full blocks of 16 and 8 more: 10+40, then 10+8.
			"a prefix that was computed before saves its time", nil,
			[]visit{{0, 40, 1}, {time.Second, 40, 1}, {2 * time.Second, 48, 1}},
			// the third shares two blocks of its three
			[]string{"50ms", "1.018s", "2.026s"},
			[]int{0, 32, 32},
		},
		{
			"the last prompt token is computed even if all blocks are held", nil,
			[]visit{{0, 32, 1}, {time.Second, 32, 1}},
			[]string{"42ms", "1.026s"},
			[]int{0, 16},
		},
		{
			"without a prefix cache nothing is saved",
			func(c *mockllm.Config) { c.PrefixCache = false },
			[]visit{{0, 40, 1}, {time.Second, 40, 1}},
			[]string{"50ms", "1.05s"},
			nil,
		},
		{
			// Room for 3 blocks: b's three push a's out.
			"the prefix cache forgets what was used longest ago",
			func(c *mockllm.Config) { c.KVCacheTokens = 51 },
			[]visit{{0, 40, 1}, {time.Second, -50, 1}, {2 * time.Second, 40, 1}},
			[]string{"50ms", "1.06s", "2.05s"},
			nil,
		},
		{
			// The context is 5 tokens in the first decode step, 6 in the second.
			"a longer context makes steps longer",
			func(c *mockllm.Config) { c.DecodePerKVToken = 1 * ms },
			[]visit{{0, 4, 3}},
			[]string{"14ms 29ms 45ms"},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := batching()
			if tc.change != nil {
				tc.change(&cfg)
			}
			inBubble(t, cfg, func(t *testing.T, b *bench) {
				start := time.Now()
				var all sync.WaitGroup
				for i, v := range tc.visits {
					time.Sleep(v.at - time.Since(start))
					all.Go(func() {
						// A negative length is another text.
						prompt := strings.Repeat("a b ", max(v.prompt, 0)) + strings.Repeat("c d ", max(-v.prompt, 0))
						at, u := outputs(t, b.stream(prompt, fmt.Sprintf(`,"max_tokens":%d`, v.make)))
						for k := range at {
							at[k] += v.at
						}
						if got := strings.Trim(fmt.Sprint(at), "[]"); got != tc.want[i] {
							t.Errorf("visit %d: tokens at %s, want %s", i, got, tc.want[i])
						}
						if tc.cached != nil && u.Details.Cached != tc.cached[i] {
							t.Errorf("visit %d: %d cached tokens, want %d", i, u.Details.Cached, tc.cached[i])
						}
					})
					synctest.Wait() // arrivals at one time keep their order
				}
				all.Wait()
			})
		})
	}
}

// closedLoop runs n users for d and returns the requests they completed.
func (b *bench) closedLoop(n int, d time.Duration, extra string) int {
	start := time.Now()
	var all sync.WaitGroup
	done := make([]int, n)
	for i := range n {
		all.Go(func() {
			for k := 0; ; k++ {
				b.stream(fmt.Sprint(i, " ", k), extra)
				if time.Since(start) > d {
					return
				}
				done[i]++
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range done {
		sum += n
	}
	return sum
}

func TestClosedLoopOfEightAtFifthOfASecond(t *testing.T) {
	// 100 ms + 5 · 20 ms = 0.2 s: eight users make 40 requests/s, whatever the load.
	inBubble(t, fixed(100*ms, 20*ms), func(t *testing.T, b *bench) {
		if got := b.closedLoop(8, 10*time.Second, `,"max_tokens":6`); got != 400 {
			t.Errorf("%d requests in 10 s, want 400", got)
		}
		st := b.srv.Stats()
		if st.InFlightMax != 8 || st.Completed != 408 || st.DistinctPrompts != 408 || st.InFlight != 0 {
			t.Errorf("stats %+v, want 8 at most in flight and 408 completed, all distinct", st)
		}
	})
}

func TestThroughputHasAKnee(t *testing.T) {
	rate := func(users int) float64 {
		var n int
		cfg := batching()
		cfg.MaxNumSeqs = 8
		inBubble(t, cfg, func(t *testing.T, b *bench) {
			n = b.closedLoop(users, 20*time.Second, `,"max_tokens":50`)
			if st := b.srv.Stats(); st.RunningMax != min(users, 8) {
				t.Errorf("%d users: a batch of %d, want %d", users, st.RunningMax, min(users, 8))
			}
		})
		return float64(n) / 20
	}
	one, eight, many := rate(1), rate(8), rate(32)
	// One user: 12 ms + 49 · 10 ms = 502 ms a request. Eight share steps of at
	// most 24 ms.
	if math.Abs(one-1/0.502) > 0.05 || eight < 2.5*one || math.Abs(many-eight) > 0.15*eight {
		t.Errorf("requests/s: %.2f with 1 user, %.2f with 8, %.2f with 32: no knee at 8", one, eight, many)
	}
}

func TestJitterIsSeededAndKeepsTheMean(t *testing.T) {
	gaps := func(timing string, seed uint64) []float64 {
		cfg := batching()
		if timing == mockllm.Fixed {
			cfg = fixed(10*ms, 10*ms)
		}
		cfg.Jitter, cfg.Seed = 0.3, seed
		var out []float64
		inBubble(t, cfg, func(t *testing.T, b *bench) {
			at, _ := outputs(t, b.stream("x", `,"max_tokens":2001`))
			for i := 1; i < len(at); i++ {
				out = append(out, (at[i] - at[i-1]).Seconds())
			}
		})
		return out
	}
	for _, timing := range []string{mockllm.Batching, mockllm.Fixed} {
		a, again, other := gaps(timing, 1), gaps(timing, 1), gaps(timing, 2)
		if fmt.Sprint(a) != fmt.Sprint(again) {
			t.Errorf("%s: the same seed gave other times", timing)
		}
		if fmt.Sprint(a) == fmt.Sprint(other) {
			t.Errorf("%s: another seed gave the same times", timing)
		}
		var sum, squares float64
		for _, g := range a {
			sum += g
			squares += g * g
		}
		mean := sum / float64(len(a))
		cv := math.Sqrt(squares/float64(len(a))-mean*mean) / mean
		// Of 2,000 values the mean's standard error is 0.7 %, the cv's some 3 %.
		if math.Abs(mean-0.010) > 0.0003 || math.Abs(cv-0.3) > 0.04 {
			t.Errorf("%s: mean %.5f s with cv %.3f, want 0.010 with 0.3", timing, mean, cv)
		}
	}
}

func TestAClientThatLeavesFreesItsPlace(t *testing.T) {
	cfg := batching()
	cfg.MaxNumSeqs = 1
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(context.Background(), 31*ms)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://mock/v1/chat/completions", strings.NewReader(chat("1234", `,"max_tokens":1000`)))
		resp, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		// Tokens of the first at 11, 21, 31 …; it leaves at 31, its step ends at 41.
		start := time.Now()
		at, _ := outputs(t, b.stream("5678", `,"max_tokens":2`))
		if resp.Body.Close(); len(at) != 2 || time.Since(start) != 62*ms {
			t.Errorf("tokens at %v, want 52ms and 62ms: a place that is free at 41 ms", at)
		}
		if st := b.srv.Stats(); st.Abandoned != 1 || st.Completed != 1 || st.InFlight != 0 || st.Running != 0 {
			t.Errorf("stats %+v, want one abandoned and one completed", st)
		}
	})
}

func TestTokensPerChunkKeepsFirstAndLastTime(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.TokensPerChunk = 4
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		// Tokens 1 | 2-5 | 6-9 | 10: the last of each is due at 100 + 10·(k−1) ms.
		at, u := outputs(t, b.stream("x", `,"max_tokens":10`))
		if want := "[100ms 140ms 180ms 190ms]"; fmt.Sprint(at) != want || u.Completion != 10 {
			t.Errorf("chunks at %v of %d tokens, want %v of 10", at, u.Completion, want)
		}
	})
}

func TestTheTailComesAfterFinishDelay(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.FinishDelay = time.Second
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		all := b.stream("x", `,"max_tokens":3`)
		at, _ := outputs(t, all)
		if last := all[len(all)-1]; at[2] != 120*ms || last.at != 1120*ms || last.data != "[DONE]" {
			t.Errorf("tokens %v, end %v: want the last token at 120ms and [DONE] at 1.12s", at, last)
		}
	})
}

func TestStampsTellTheTruth(t *testing.T) {
	cfg := fixed(100*ms, 10*ms)
	cfg.StampsKept = 2
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		time.Sleep(time.Second)
		for i := range 3 {
			start := time.Now()
			all := b.stream("x", `,"max_tokens":3`, "X-Request-ID", fmt.Sprint("r", i), "X-Mock-Stamps", "1")
			for k, e := range all[1:4] { // the first is the role
				if got, want := parse(t, e.data).Sent, start.Add(e.at).UnixNano(); got != want || e.at != 100*ms+time.Duration(k)*10*ms {
					t.Errorf("chunk %d: sent %d, came %d", k, got, want)
				}
			}
			if got := parse(t, all[len(all)-2].data).Got; got != start.UnixNano() {
				t.Errorf("received %d, want %d", got, start.UnixNano())
			}
		}
		b.stream("x", `,"max_tokens":3`) // unstamped
		got := b.srv.Stamps()
		if len(got) != 2 || got[0].RequestID != "r1" || got[1].RequestID != "r2" || got[1].Source != "read" {
			t.Fatalf("kept %+v, want r1 and r2", got)
		}
		if s := got[1]; len(s.Chunks) != 3 || s.Chunks[2]-s.Received != int64(120*ms) || s.Tokens != 3 {
			t.Errorf("stamp %+v, want the third chunk 120 ms after receipt", s)
		}
		if lines := strings.Count(b.get("/mock/stamps"), "\n"); lines != 2 {
			t.Errorf("%d lines, want 2", lines)
		}
		req, _ := http.NewRequest("DELETE", "http://mock/mock/stamps", nil)
		resp, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); len(b.srv.Stamps()) != 0 {
			t.Error("DELETE left stamps")
		}
	})
}
