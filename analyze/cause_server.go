package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen/metrics"
)

// What the server's own figures must come to for a cause to be named.
const (
	// worthQueue is the share of the TTFT, and littleLatency that of the latency,
	// that time in the server's queue must take.
	worthQueue    = 0.2
	littleLatency = 0.05
	// fullCache is the usage of the KV cache from which on it is full: the last
	// blocks are kept for the requests that run.
	fullCache = 0.85
	// worthThrottling is the share of the time in which GPUs must be held back.
	worthThrottling = 0.1
	// worthOutside is the share of the TTFT that must pass outside of the server.
	worthOutside = 0.2
	// fewSeen is how many requests a mean of the server's must be of.
	fewSeen = 10
)

// serverField is where the evidence stands.
const serverField = "profile_export_aiperf.json loadgen.server"

// servers looks at what the servers of the runs say of themselves. A cause that
// several runs show is told once, for the one where it costs most, with the costs
// of all.
func (s *study) servers() []Finding {
	var found []Finding
	for i := range s.cells {
		c := &s.cells[i]
		if c.Server == nil {
			continue
		}
		for _, look := range []func() []Finding{c.foreign, c.gpus, c.asleep, c.before, c.serverQueue, c.coldCache, c.outside} {
			for _, f := range look() {
				at := slices.IndexFunc(found, func(g Finding) bool { return g.ID == f.ID })
				if at < 0 {
					found = append(found, f)
					continue
				}
				seconds, tokens := both(found[at].Seconds, f.Seconds), both(found[at].Tokens, f.Tokens)
				if positive(float64(f.Seconds)) > positive(float64(found[at].Seconds)) {
					found[at] = f
				}
				found[at].Seconds, found[at].Tokens = seconds, tokens
			}
		}
	}
	return found
}

// told is evidence of the server's, in the run's own summary.
func (c *CellFacts) told(what string, v float64, unit, field string) Evidence {
	return Evidence{what, Number(v), unit, strings.TrimSpace(c.Name + " " + serverField + "." + field)}
}

// ours reports whether the server's figures are those of this run's requests, and
// of all of them.
func (c *CellFacts) ours() bool {
	return !c.Server.Foreign && !c.Server.Partial && c.Server.Measured != nil
}

// foreign tells of a server that others use too: the times of the rest mean little.
func (c *CellFacts) foreign() []Finding {
	v := c.Server
	if !v.Foreign {
		return nil
	}
	f := Finding{
		ID: "foreign-traffic", Control: Deployment, Confidence: Medium, Seconds: undefined, Tokens: undefined, pressing: true,
		Title: "others use the server too: it did more than this run asked for",
		Try:   []string{"measure a server of your own, or when nobody else uses it", "look who else sends to it: health checks with prompts, another run, users"},
	}
	if b := v.Requests; b != nil {
		f.Confidence = High
		f.Evidence = append(f.Evidence, c.told("requests that this run had answered", b.Client, "requests", "requests"), c.told("requests that the server answered", b.Server, "requests", "requests"))
	}
	if b := v.OutputTokens; b != nil {
		f.Evidence = append(f.Evidence, c.told("tokens of this run's answers", b.Client, "tokens", "output_tokens"), c.told("tokens that the server made", b.Server, "tokens", "output_tokens"))
	}
	return []Finding{c.alongside(f)}
}

// alongside adds what both sides say was in flight.
func (c *CellFacts) alongside(f Finding) Finding {
	if b := c.Server.Beside; b != nil {
		f.Evidence = append(f.Evidence, c.told("requests of this run in flight", b.Client, "requests", "in_flight"), c.told("requests in the server", b.Server, "requests", "in_flight"))
	}
	return f
}

// gpus tells of clocks that were held back: the times of the rest are those of a
// slower machine.
func (c *CellFacts) gpus() []Finding {
	worst, held := -1, 0
	for i, g := range c.Server.GPUs {
		if g.Throttled < worthThrottling {
			continue
		}
		if held++; worst < 0 || g.Throttled > c.Server.GPUs[worst].Throttled {
			worst = i
		}
	}
	if worst < 0 {
		return nil
	}
	g := c.Server.GPUs[worst]
	f := Finding{
		ID: "gpu-throttled", Control: Deployment, Confidence: Medium, Seconds: undefined, Tokens: undefined, pressing: true,
		Title: fmt.Sprintf("the clocks of %d of %d GPUs were held back, of one in %.0f %% of the samples: %s", held, len(c.Server.GPUs), 100*g.Throttled, cmp.Or(strings.Join(g.Reasons, ", "), "no reason is given")),
		Try:   []string{"look at cooling, air flow and the power supply of the machine", "wait until it has cooled down, and measure again: these figures are not those of the machine when it is well"},
		Evidence: []Evidence{
			c.told("share of the samples in which its clocks were held back", g.Throttled, "ratio", fmt.Sprintf("gpus[%d].throttled_share", worst)),
		},
	}
	for _, x := range []struct{ role, unit string }{{"temperature", "°C"}, {"clock", "MHz"}, {"power", "W"}} {
		if l, ok := g.Levels[x.role]; ok {
			f.Evidence = append(f.Evidence, c.told("mean "+x.role, l.Avg, x.unit, fmt.Sprintf("gpus[%d].levels.%s", worst, x.role)))
			if x.role == "clock" && l.Min < 0.9*l.Max {
				f.Confidence = High // and they did go down
			}
		}
	}
	return []Finding{f}
}

// asleep tells of an engine that was not awake all of the time.
func (c *CellFacts) asleep() []Finding {
	l, ok := c.Server.Loaded.Level("asleep")
	if !ok || l.Max == 0 {
		return nil
	}
	return []Finding{{
		ID: "engine-asleep", Control: Deployment, Confidence: High, Seconds: undefined, Tokens: undefined, pressing: true,
		Title:    fmt.Sprintf("an engine was asleep in %.0f %% of the samples", 100*l.Avg),
		Try:      []string{"wake it before the run (vLLM: POST /wake_up), and see who puts it to sleep"},
		Evidence: []Evidence{c.told("share of the samples in which an engine slept", l.Avg, "ratio", "under_load.levels.asleep")},
	}}
}

// before tells of requests that wait before the server.
func (c *CellFacts) before() []Finding {
	v := c.Server
	if v.Before == 0 || !c.ours() {
		return nil
	}
	f := Finding{
		ID: "queue-before-server", Control: Deployment, Confidence: Medium, Seconds: undefined, Tokens: undefined,
		Title: fmt.Sprintf("of %.3g requests in flight only %.3g were in the server: the others wait before it", v.Beside.Client, v.Beside.Server),
		Try: []string{
			"look for a limit of requests or connections in what stands before the server: a proxy, a gateway, a service mesh",
			"measure the server directly, beside this",
		},
	}
	if b := v.Latency; b != nil && v.Outside != nil {
		f.Confidence = High // by Little's law, too
		f.Seconds = Number(*v.Outside / 1e3 * c.ok())
		f.Evidence = append(f.Evidence, c.told("mean latency", b.Client/1e3, "s", "request_latency_ms"), c.told("of it in the server", b.Server/1e3, "s", "request_latency_ms"))
	}
	return []Finding{c.alongside(f)}
}

// outside tells of a TTFT of which much passes before the server sees the request,
// or behind it: on the network, where an answer with metrics takes as long.
func (c *CellFacts) outside() []Finding {
	v := c.Server
	if !c.ours() || v.TTFT == nil || v.Before > 0 {
		return nil
	}
	x := v.TTFT
	trip := metrics.NetworkTime(v.Server)
	if x.Outside < worthOutside*x.Client || x.Outside < 5 {
		return nil
	}
	f := Finding{
		ID: "slow-network", Control: Deployment, Confidence: High, Tokens: undefined, Seconds: Number(x.Outside / 1e3 * c.ok()),
		Title: fmt.Sprintf("%.0f of %.0f ms to the first token pass on the network", x.Outside, x.Client),
		Try:   []string{"measure from nearer, or from where the users are: what is measured here is the way", "look at the route, a VPN, a proxy"},
		Evidence: []Evidence{
			c.told("mean TTFT", x.Client/1e3, "s", "time_to_first_token_ms.client"),
			c.told("of it by the server's own clock", x.Server/1e3, "s", "time_to_first_token_ms.server"),
			c.told("least time that an answer with metrics took", trip/1e3, "s", "sources[].scrape_ms_min"),
		},
	}
	if trip < x.Outside/2 {
		f.ID, f.Confidence = "outside-server", Low
		f.Title = fmt.Sprintf("%.0f of %.0f ms to the first token pass outside of the engine, and not on the network", x.Outside, x.Client)
		f.Try = []string{"look at what stands before the engine: its HTTP server and tokenizer, a proxy, TLS"}
	}
	return []Finding{f}
}

// agreed takes the server's word on causes that the client's figures suggest: it
// confirms them, and one that it contradicts is none.
func (s *study) agreed(found []Finding) []Finding {
	if len(s.levels) == 0 {
		return found
	}
	top := s.top()
	if top.Server == nil || !top.ours() || top.Server.Doubtful {
		return found
	}
	queue, knows := top.Server.Measured.Time("queue")
	prefill, computes := top.Server.Measured.Time("prefill")
	ttft := positive(float64(top.TTFT.Mean))
	return slices.DeleteFunc(found, func(f Finding) bool {
		switch f.ID {
		case "queue":
			return knows && queue.N >= fewSeen && queue.Mean < ttft/10
		case "slow-prefill":
			return computes && prefill.N >= fewSeen && prefill.Mean < ttft/10
		}
		return false
	})
}
