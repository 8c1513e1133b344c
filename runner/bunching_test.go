package runner_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"loadgen/metrics"
)

// bunched reports whether a run's verdict says that its users move together.
func bunched(m *measured) bool {
	for _, r := range m.Summary.Validity.Reasons {
		if r.Name == "bunching" {
			return true
		}
	}
	return false
}

// TestUsersWhoMoveTogetherAreSeen has 64 users at an endpoint that computes a
// prompt in 40 ms and makes a token of every other answer in up to 14.4 ms: see
// TestAFirstWaveIsNotTheSteadyState. Whoever starts together has sent everything in
// two thirds of a round, or where the endpoint computes all prompts in one step,
// in a moment of it, and waits 64 · 40 ms and longer for a first token.
func TestUsersWhoMoveTogetherAreSeen(t *testing.T) {
	const inOneStep = "mock={timing: batching, prefill_chunk: 0}"
	for name, c := range map[string]struct {
		settings []string
		want     bool
	}{
		"staggered": {[]string{"base_config.concurrency=64", "base_config.warmup_request_count=128"}, false},
		"together, without a gap behind the warm-up": {
			[]string{"base_config.concurrency=64", "base_config.warmup_request_count=128", "base_config.start=together"}, true,
		},
		"together, behind a drain": {
			[]string{
				"base_config.concurrency=64", "base_config.warmup_request_count=128", "base_config.start=together",
				"base_config.warmup_handover=drain", inOneStep,
			}, true,
		},
		"staggered, in one step": {[]string{"base_config.concurrency=64", "base_config.warmup_request_count=128", inOneStep}, false},
		"together, with rests of one length": {
			[]string{
				"base_config.concurrency=64", "base_config.warmup_request_count=128", "base_config.start=together",
				"base_config.session_turns_mean=4", "base_config.session_turn_delay_mean=1000",
			}, true,
		},
		"with rests of many lengths": {
			[]string{
				"base_config.concurrency=32", "base_config.warmup_request_count=64",
				"base_config.session_turns_mean=4", "base_config.session_turn_delay_mean=2000", "base_config.session_turn_delay_stddev=1000",
			}, false,
		},
		"together, with a pace of their own": {
			[]string{"base_config.num_users=64", "base_config.user_request_rate=0.125", "base_config.warmup_request_count=64", "base_config.start=together"}, true,
		},
		"staggered, with a pace of their own": {
			[]string{"base_config.num_users=64", "base_config.user_request_rate=0.125", "base_config.warmup_request_count=64"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := append([]string{
				"base_config.benchmark_duration=40", "base_config.prompt_input_tokens_mean=1000", "base_config.prompt_output_tokens_mean=200",
				"mock={timing: batching}",
			}, c.settings...)
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if got := bunched(m); got != c.want {
					t.Errorf("bunched: %t, want %t; TTFT %.0f ms in the median", got, c.want, m.Summary.Metric("time_to_first_token").Stats.P50)
				}
			})
		})
	}
}

// bunchShapes are closed loops of all kinds, drawn by a seed: settings without
// how the users start.
func bunchShapes(n int) [][]string {
	rng := rand.New(rand.NewPCG(7, 0))
	shapes := make([][]string, n)
	for i := range shapes {
		users := []int{4, 8, 16, 32, 64, 128}[rng.IntN(6)]
		tokens := [][2]int{{1000, 200}, {200, 50}, {2000, 100}, {500, 300}, {100, 100}}[rng.IntN(5)]
		spread := []float64{0, 0, 0.1, 0.4}[rng.IntN(4)]
		seqs := []int{128, 128, 128, max(2, users/2)}[rng.IntN(4)]
		mock := fmt.Sprintf("mock={timing: batching, jitter: %g, prefill_chunk: %d, max_num_seqs: %d}", []float64{0, 0.1, 0.3}[rng.IntN(3)], []int{2048, 2048, 512, 0}[rng.IntN(4)], seqs)
		if rng.IntN(5) == 0 {
			mock = fmt.Sprintf("mock={timing: fixed, ttft: 80ms, itl: 15ms, jitter: %g}", []float64{0, 0.1, 0.3}[rng.IntN(3)])
		}
		shapes[i] = []string{
			mock, fmt.Sprintf("base_config.concurrency=%d", users), fmt.Sprintf("base_config.random_seed=%d", i),
			fmt.Sprintf("base_config.warmup_request_count=%d", []int{0, users/4 + 1, 2 * users, 3 * users}[rng.IntN(4)]),
			fmt.Sprintf("base_config.benchmark_duration=%d", []int{20, 40, 60}[rng.IntN(3)]),
			fmt.Sprintf("base_config.prompt_input_tokens_mean=%d", tokens[0]), fmt.Sprintf("base_config.prompt_output_tokens_mean=%d", tokens[1]),
			fmt.Sprintf("base_config.prompt_output_tokens_stddev=%g", spread*float64(tokens[1])),
		}
	}
	return shapes
}

var loops = flag.Int("loops", 8, "closed loops on which the sign of users who move together is tried")

// TestHowOftenUsersAreFalselySaidToMoveTogether measures both errors of the sign,
// which docs/metrics.md tells: on loops of all kinds whose users start one after
// another it never fires. Of the same loops whose users start together it sees
// most whose median TTFT is more than twice as long for it.
func TestHowOftenUsersAreFalselySaidToMoveTogether(t *testing.T) {
	shapes := bunchShapes(*loops)
	bent, seen := 0, 0
	for _, shape := range shapes {
		var healthy *metrics.Summary
		inVirtualTime(t, shape, func(t *testing.T, m *measured) {
			if healthy = m.Summary; bunched(m) {
				t.Errorf("%v: %+v", shape, m.Summary.Validity.Reasons)
			}
		})
		if testing.Short() {
			continue
		}
		inVirtualTime(t, append(shape, "base_config.start=together"), func(t *testing.T, m *measured) {
			median := func(s *metrics.Summary) float64 { return s.Metric("time_to_first_token").Stats.P50 }
			if median(m.Summary) > 2*median(healthy) {
				if bent++; bunched(m) {
					seen++
				} else {
					t.Logf("not seen, %.0f instead of %.0f ms: %v", median(m.Summary), median(healthy), shape)
				}
			} else if bunched(m) {
				t.Logf("seen, %.0f instead of %.0f ms: %v", median(m.Summary), median(healthy), shape)
			}
		})
	}
	if t.Logf("%d of %d bent runs are seen", seen, bent); !testing.Short() && seen*4 < bent*3 {
		t.Errorf("%d of %d bent runs are seen, want three quarters", seen, bent)
	}
}
