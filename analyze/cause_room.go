package analyze

import (
	"fmt"
	"math"
)

// serverQueue tells of requests that wait in the server, for room in its KV cache
// or for a place in its batch.
func (c *CellFacts) serverQueue() []Finding {
	if !c.ours() {
		return nil
	}
	v := c.Server
	queue, timed := v.Measured.Time("queue")
	timed = timed && !v.Doubtful
	waiting, counted := v.Loaded.Level("waiting")
	running, _ := v.Loaded.Level("running")
	kv, caches := v.Loaded.Level("kv_usage")
	preempted, _ := v.Measured.Count("preemptions")
	queues := c.waits(queue.Mean, queue.N, timed, waiting.Avg, running.Avg, counted)
	thrashes := preempted >= max(3, c.ok()/100)
	if !queues && !thrashes {
		return nil
	}
	f := Finding{ID: "queue", Control: Deployment, Confidence: Medium, Seconds: undefined, Tokens: undefined}
	if timed {
		f.Seconds = Number(queue.Mean * c.ok())
		f.Evidence = append(f.Evidence, c.told("mean time in the server's queue", queue.Mean, "s", "measured.times.queue"))
	} else if queues {
		f.Seconds = Number(waiting.Avg / c.Throughput * c.ok()) // Little's law
	}
	f.Evidence = append(f.Evidence, Evidence{"mean TTFT", c.TTFT.Mean, "s", c.where()})
	if counted {
		f.Evidence = append(f.Evidence, c.told("requests waiting", waiting.Avg, "requests", "under_load.levels.waiting"), c.told("requests running", running.Avg, "requests", "under_load.levels.running"))
	}
	if counted && (timed || c.agrees()) {
		f.Confidence = High
	}
	full := caches && (kv.Avg >= fullCache || kv.Max >= 0.95 && preempted > 0)
	if !full && !thrashes {
		f.Title = fmt.Sprintf("requests queue in the server before they are served: about %.0f are served at once, more load only waits", running.Avg)
		f.Try = []string{
			raiseLimit,
			"add replicas, or admit no more at once than are served",
		}
		if caches {
			f.Evidence = append(f.Evidence, c.told("share of the KV cache in use", kv.Avg, "ratio", "under_load.levels.kv_usage"))
		}
		return []Finding{f}
	}
	f.ID = "kv-cache-full"
	f.Title = fmt.Sprintf("the KV cache is full: %.0f requests have room at once, the others wait", running.Avg)
	if thrashes {
		f.Title = fmt.Sprintf("the KV cache is too small for what runs: %.0f requests lost their place and were computed again", preempted)
		f.Evidence = append(f.Evidence, c.told("preemptions", preempted, "count", "measured.counts.preemptions"))
	}
	f.Try = []string{
		"give the cache more memory (vLLM: --gpu-memory-utilization, --kv-cache-dtype fp8; SGLang: --mem-fraction-static)",
		"ask for shorter contexts (--max-model-len), or add replicas",
	}
	if caches {
		f.Evidence = append(f.Evidence, c.told("share of the KV cache in use", kv.Avg, "ratio", "under_load.levels.kv_usage"))
	}
	return []Finding{f}
}

// raiseLimit is what to do where requests wait for a place in the batch.
const raiseLimit = "raise the server's limit of concurrent sequences (vLLM: --max-num-seqs; SGLang: --max-running-requests; llama.cpp: --parallel) if memory allows"

// agrees reports whether the server had as many requests as the run had in flight,
// at the same moments.
func (c *CellFacts) agrees() bool {
	b := c.Server.Beside
	return b != nil && b.N >= fewSeen && math.Abs(b.Server-b.Client) <= max(1, 3*b.Error)
}

// waits reports whether what the server says of its queue is worth telling.
func (c *CellFacts) waits(queue, n float64, timed bool, waiting, running float64, counted bool) bool {
	if counted && waiting < max(1, running/10) {
		return false // a step of the batch is waited for by all
	}
	if !timed {
		return counted && c.Throughput > 0 && waiting/c.Throughput > worthQueue*positive(float64(c.TTFT.Mean))
	}
	return n >= fewSeen && queue > worthQueue*positive(float64(c.TTFT.Mean)) && queue > littleLatency*positive(float64(c.Latency.Mean))
}

// coldCache tells of prompts that begin alike and were computed all the same.
func (c *CellFacts) coldCache() []Finding {
	v := c.Server
	if !c.ours() || v.Prefix == nil || !v.Prefix.Cold() {
		return nil
	}
	p := v.Prefix
	tokens, _ := v.Measured.Count("prompt_tokens")
	again := p.Text - p.HitRate
	f := Finding{
		ID: "cold-prefix-cache", Control: Deployment, Confidence: High, Seconds: undefined, Tokens: Number(again * tokens),
		Title: fmt.Sprintf("%.0f %% of the prompt tokens could have come from the prefix cache, %.0f %% did", 100*p.Text, 100*p.HitRate),
		Try:   []string{"switch the prefix cache on (vLLM: --enable-prefix-caching), or see why it does not hit: a salt, another model, requests spread over replicas"},
		Evidence: []Evidence{
			c.told("share of the prompt tokens from the prefix cache", p.HitRate, "ratio", "prefix_cache.hit_rate"),
			c.told("share of them that begin like another prompt of the run", p.Text, "ratio", "prefix_cache.shared_text"),
		},
	}
	if kv, ok := v.Loaded.Level("kv_usage"); ok && kv.Avg > 0.5 {
		f.Try = append(f.Try, "give the KV cache more room: what is cached is evicted before it is asked for again")
		f.Evidence = append(f.Evidence, c.told("share of the KV cache in use", kv.Avg, "ratio", "under_load.levels.kv_usage"))
	}
	if prefill, ok := v.Measured.Time("prefill"); ok && !v.Doubtful {
		f.Seconds = Number(prefill.Mean * again / (1 - p.HitRate) * c.ok())
		f.Evidence = append(f.Evidence, c.told("mean time of the prefill", prefill.Mean, "s", "measured.times.prefill"))
	}
	return []Finding{f}
}
