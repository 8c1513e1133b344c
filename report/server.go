package report

import (
	"fmt"
	"strings"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/metrics"
)

// serverLines say what the server said of itself under load, where the time to the
// first token went, and what its GPUs used; nothing where it was not asked.
func serverLines(s *metrics.Summary) []string {
	lines := networkLine(s)
	if v := s.Server; v != nil {
		lines = append(lines, levelsLine(v)...)
		lines = append(lines, splitLine(v)...)
		lines = append(lines, gpuLine(s)...)
	}
	return append(lines, costLine(s)...)
}

// worthTrip is the share of the median TTFT from which on the network's round trip is
// told.
const worthTrip = 0.01

// networkLine is how much of the time to the first token the network takes at least.
func networkLine(s *metrics.Summary) []string {
	m := s.Metric("time_to_first_token")
	if m == nil || m.Stats == nil || s.RoundTrip < worthTrip*m.Stats.P50 || s.RoundTrip == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the network's round trip takes %s ms by the kernel's account, of a median TTFT of %s ms", decimal(s.RoundTrip, 2), decimal(m.Stats.P50, 1))}
}

// levelsLine is how full the server was.
func levelsLine(v *metrics.Server) []string {
	var parts []string
	level := func(noun, text string, scale float64, decimals int) {
		if l, ok := v.Loaded.Level(noun); ok {
			parts = append(parts, fmt.Sprintf(text, decimal(l.Avg*scale, decimals)))
		}
	}
	level("running", "%s running", 1, 1)
	level("waiting", "%s waiting", 1, 1)
	level("kv_usage", "KV cache %s %% full", 100, 0)
	if v.Prefix != nil && v.Prefix.Bound > 0 {
		parts = append(parts, fmt.Sprintf("%s %% of the prompt tokens from the prefix cache (at most %s %%)", decimal(100*v.Prefix.HitRate, 0), decimal(100*v.Prefix.Bound, 0)))
	}
	if n, ok := v.Measured.Count("preemptions"); ok && n > 0 {
		parts = append(parts, decimal(n, 0)+" preemptions")
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the server (%s) under load: %s", outside.Line(strings.Join(v.Engines, ", ")), strings.Join(parts, ", "))}
}

// splitLine is where the time to the first token went, by the server's own clock.
func splitLine(v *metrics.Server) []string {
	x := v.TTFT
	if x == nil || v.Foreign || v.Partial {
		return nil
	}
	text := fmt.Sprintf("of a mean TTFT of %s ms the server saw %s", decimal(x.Client, 1), decimal(x.Server, 1))
	if v.WithWarmup {
		text = strings.Replace(text, " TTFT", " TTFT, that of the warm-up with it,", 1)
	}
	var parts []string
	if x.Queue > 0 {
		parts = append(parts, decimal(x.Queue, 1)+" in its queue")
	}
	if x.Prefill > 0 {
		parts = append(parts, decimal(x.Prefill, 1)+" of prefill")
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return []string{text}
}

// gpuLine is what the GPUs did and used.
func gpuLine(s *metrics.Summary) []string {
	gpus := s.Server.GPUs
	if len(gpus) == 0 {
		return nil
	}
	parts := []string{fmt.Sprintf("%d GPUs", len(gpus))}
	if len(gpus) == 1 {
		parts[0] = "a GPU"
	}
	for _, x := range []struct {
		role, text string
		most       bool
	}{{"power", "%s W", false}, {"utilization", "%s %% busy", false}, {"clock", "%s MHz", false}, {"temperature", "up to %s °C", true}} {
		sum, n, most := 0.0, 0, 0.0
		for _, g := range gpus {
			if l, ok := g.Levels[x.role]; ok {
				sum, n, most = sum+l.Avg, n+1, max(most, l.Max)
			}
		}
		switch {
		case n == 0:
		case x.most:
			parts = append(parts, fmt.Sprintf(x.text, decimal(most, 0)))
		default:
			parts = append(parts, fmt.Sprintf(x.text, decimal(sum/float64(n), 0)))
		}
	}
	if held := throttled(gpus); held != "" {
		parts = append(parts, held)
	}
	if perJoule, ok := s.TokensPerJoule(); ok {
		parts = append(parts, decimal(perJoule, 3)+" output tokens/J")
	}
	return []string{strings.Join(parts, ", ")}
}

// throttled names the GPU that was held back most; empty for none.
func throttled(gpus []loadgen.GPU) string {
	worst := 0
	for i := range gpus {
		if gpus[i].Throttled > gpus[worst].Throttled {
			worst = i
		}
	}
	g := &gpus[worst]
	if g.Throttled <= 0 {
		return ""
	}
	return fmt.Sprintf("clocks of GPU %s held back in %s %% of the samples (%s)", outside.Line(g.Index), decimal(100*g.Throttled, 0), outside.Line(strings.Join(g.Reasons, ", ")))
}

// costLine is the price of tokens, in the money of cost_per_gpu_hour.
func costLine(s *metrics.Summary) []string {
	m := s.Metric(metrics.CostPerOutput)
	if m == nil || m.Value == nil {
		return nil
	}
	price := *m.Value
	if loaded, ok := s.UnderLoad(metrics.CostPerOutput); ok {
		price = loaded
	}
	return []string{fmt.Sprintf("a million tokens of answers cost %s, at %s a GPU and hour", decimal(price, 2), decimal(*m.Value*rateOf(s)*3.6e-3/float64(max(1, s.GPUs)), 2))}
}

// rateOf is the run's rate of output tokens.
func rateOf(s *metrics.Summary) float64 {
	if m := s.Metric("output_token_throughput"); m != nil && m.Value != nil {
		return *m.Value
	}
	return 0
}
