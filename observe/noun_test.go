package observe_test

import (
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/observe"
)

// twoStates answers with the first text of a file before the run begins, and with
// the second from then on.
func twoStates(t *testing.T, file string) page {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(text), "----\n")
	return func(w http.ResponseWriter, _ *http.Request, n int, _ time.Duration) {
		if n < 2 { // the first, and the one at the border
			w.Write([]byte(before))
			return
		}
		w.Write([]byte(after))
	}
}

// flat are all figures of a window by noun: levels and times by their mean.
func flat(w *loadgen.ServerWindow) map[string]float64 {
	out := maps.Clone(w.Counts)
	for noun, l := range w.Levels {
		out[noun] = l.Avg
	}
	for noun, x := range w.Times {
		out[noun] = x.Mean
	}
	for noun, v := range out {
		out[noun] = math.Round(v*1e9) / 1e9
	}
	return out
}

// TestEveryServerFillsTheNounsThatItHas works with texts whose figures are worked
// out by hand: ten more requests with 1,000 tokens of prompts and 600 of answers, a
// mean of 0.2 s in the queue, 0.3 s of prefill and so on, 7 running and 3 waiting.
func TestEveryServerFillsTheNounsThatItHas(t *testing.T) {
	all := map[string]float64{
		"inside": 10, "running": 7, "waiting": 3, "kv_usage": 0.75, "requests": 10, "prompt_tokens": 1000, "output_tokens": 600,
		"queue": 0.2, "prefill": 0.3, "decode": 0.4, "e2e": 0.9, "ttft": 0.5, "itl": 0.1,
	}
	with := func(more map[string]float64, without ...string) map[string]float64 {
		out := maps.Clone(all)
		maps.Copy(out, more)
		maps.DeleteFunc(out, func(noun string, _ float64) bool { return slices.Contains(without, noun) })
		return out
	}
	for file, c := range map[string]struct {
		engine string
		want   map[string]float64
	}{
		"vllm.txt":         {"vllm", with(map[string]float64{"prefix_queries": 1000, "prefix_hits": 250, "preemptions": 4, "drafted": 400, "accepted": 300, "asleep": 0})},
		"vllm-old.txt":     {"vllm", with(map[string]float64{"preemptions": 4, "hit_rate": 0.5, "acceptance": 0.75})},
		"sglang.txt":       {"sglang", with(map[string]float64{"prefix_queries": 1000, "prefix_hits": 250, "preemptions": 4, "hit_rate": 0.5, "acceptance": 0.75, "output_rate": 600}, "decode")},
		"tgi.txt":          {"tgi", with(nil, "kv_usage", "decode", "ttft")},
		"trtllm-serve.txt": {"tensorrt-llm", with(map[string]float64{"hit_rate": 0.5, "prefix_queries": 1000, "prefix_hits": 250, "drafted": 400, "accepted": 300})},
		"triton.txt":       {"tensorrt-llm", with(nil, "prompt_tokens", "output_tokens", "prefill", "decode", "ttft", "itl")},
		"llamacpp.txt":     {"llama.cpp", with(map[string]float64{"prefix_queries": 1000, "prefix_hits": 250, "drafted": 400, "accepted": 300}, "kv_usage", "requests", "queue", "prefill", "decode", "e2e", "ttft")},
		"dynamo.txt":       {"dynamo", with(map[string]float64{"hit_rate": 0.5, "prefix_queries": 1000, "prefix_hits": 250}, "queue", "prefill", "decode")},
		// Two engines of two stages each, which all tell the same; levels as a whole and
		// by priority, counts by priority alone.
		"sglang-ranks.txt": {"sglang", with(map[string]float64{"prefix_queries": 1000, "prefix_hits": 250, "preemptions": 4}, "prefill", "decode", "e2e", "ttft", "itl")},
		// Of older releases.
		"trtllm-serve-old.txt": {"tensorrt-llm", with(map[string]float64{"hit_rate": 0.5}, "prompt_tokens", "output_tokens", "prefill", "decode")},
		"llamacpp-old.txt":     {"llama.cpp", with(nil, "requests", "queue", "prefill", "decode", "e2e", "ttft")},
	} {
		t.Run(file, func(t *testing.T) {
			s := observed(t, observe.Config{}, twoStates(t, file), func(o *observe.Observer) {
				time.Sleep(100 * time.Millisecond)
				o.Mark(observe.Profiling)
				time.Sleep(5500 * time.Millisecond)
				o.Mark(observe.Drain)
				time.Sleep(time.Second)
			}).Server()
			if diff := cmp.Diff(c.want, flat(s.Loaded)); diff != "" {
				t.Errorf("nouns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{c.engine}, s.Engines); diff != "" {
				t.Errorf("engines (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecordedTexts has those of real servers, before and after requests of which the
// replies' usage is known: of vLLM 0.32.0 one of 8 tokens and 4 of an answer, of
// llama.cpp's server three of 7 tokens and 8, of which it took 6 twice from its cache.
func TestRecordedTexts(t *testing.T) {
	for file, c := range map[string]struct {
		engine string
		want   map[string]float64
	}{
		"recorded-vllm.txt": {"vllm", map[string]float64{
			"inside": 0, "running": 0, "waiting": 0, "kv_usage": 0, "asleep": 0, "preemptions": 0,
			"requests": 1, "prompt_tokens": 8, "output_tokens": 4, "prefix_queries": 8, "prefix_hits": 0,
			"queue": 0.000043094, "prefill": 0.117124117, "decode": 0.180660921, "e2e": 0.500972986, "ttft": 0.321885109, "itl": 0.060220307,
		}},
		"recorded-llamacpp.txt": {"llama.cpp", map[string]float64{
			"inside": 0, "running": 0, "waiting": 0, "prompt_tokens": 21, "output_tokens": 24, "prefix_queries": 21, "prefix_hits": 12,
			"drafted": 0, "accepted": 0, "itl": 0.000666667,
		}},
	} {
		s := observed(t, observe.Config{}, twoStates(t, file), func(o *observe.Observer) {
			time.Sleep(100 * time.Millisecond)
			o.Mark(observe.Profiling)
			time.Sleep(2500 * time.Millisecond)
		}).Server()
		if diff := cmp.Diff(c.want, flat(s.Loaded)); diff != "" || s.Engines[0] != c.engine {
			t.Errorf("%s: engines %q, nouns (-want +got):\n%s", file, s.Engines, diff)
		}
	}
}

// TestEnginesCountWhereTheyAreSeenBehindAGateway has Dynamo's frontend and a worker
// of it both asked.
func TestEnginesCountWhereTheyAreSeenBehindAGateway(t *testing.T) {
	gateway, worker := twoStates(t, "dynamo.txt"), twoStates(t, "vllm.txt")
	var mu sync.Mutex
	n := map[string]int{}
	serve := func(w http.ResponseWriter, r *http.Request, _ int, since time.Duration) {
		mu.Lock()
		at := n[r.URL.Path]
		n[r.URL.Path]++
		mu.Unlock()
		if r.URL.Path == "/frontend" {
			gateway(w, r, at, since)
			return
		}
		worker(w, r, at, since)
	}
	config := observe.Config{Targets: []observe.Target{{URL: "http://a/frontend"}, {URL: "http://a/worker1"}, {URL: "http://a/worker2"}}}
	s := observed(t, config, serve, func(o *observe.Observer) {
		time.Sleep(100 * time.Millisecond)
		o.Mark(observe.Profiling)
		time.Sleep(5500 * time.Millisecond)
		o.Mark(observe.Drain)
		time.Sleep(time.Second)
	}).Server()
	got := flat(s.Loaded)
	for noun, want := range map[string]float64{"running": 14, "waiting": 6, "inside": 20, "requests": 20, "kv_usage": 0.75, "ttft": 0.5, "hit_rate": 0.5} {
		if got[noun] != want {
			t.Errorf("%s is %g, want %g", noun, got[noun], want)
		}
	}
	if s.Loaded.Times["ttft"].N != 20 {
		t.Errorf("TTFT of %g requests, want 20", s.Loaded.Times["ttft"].N)
	}
}
