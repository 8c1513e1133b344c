package analyze

import (
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A Transport is what became of a run's connections, warm-up included.
type Transport struct {
	Engine     string         `json:"engine"`
	Protocol   string         `json:"protocol"`
	Opened     int            `json:"connections_created"`
	Reused     int            `json:"connections_reused"`
	ReuseRate  Number         `json:"connection_reuse_rate"` // reused ÷ (created + reused)
	DialErrors int            `json:"connection_errors"`
	Retried    int            `json:"retried"`
	MaxOpen    int            `json:"max_open"`
	Dial       Delay          `json:"dial"` // of the requests that dialled
	TLS        Delay          `json:"tls"`  // of those that shook hands
	Wait       Delay          `json:"wait"` // for a free connection, of those that waited
	Failures   map[string]int `json:"failures"`
}

// A Delay is a short distribution in seconds.
type Delay struct {
	N   int    `json:"n"`
	P50 Number `json:"p50"`
	P99 Number `json:"p99"`
	Sum Number `json:"total"`
}

// ClientHealth is how the generator itself fared.
type ClientHealth struct {
	Verdict    metrics.Verdict `json:"verdict"`
	Reasons    []string        `json:"reasons"`
	CPU        Number          `json:"cpu_share"`    // of the CPUs it may use
	Machine    Number          `json:"machine_busy"` // share of all CPUs
	RSSPeak    uint64          `json:"rss_peak_bytes"`
	HeapPeak   uint64          `json:"heap_peak_bytes"`
	Goroutines int             `json:"goroutines"`
	GCCycles   int             `json:"gc_cycles"`
	GCPause    Delays          `json:"gc_pause_s"`
	Scheduling Delays          `json:"scheduling_latency_s"`
	Starved    int             `json:"starved"` // requests due before their body was ready
}

// Delays are three levels of a distribution in seconds, null where unknown.
type Delays struct {
	P50 Number `json:"p50"`
	P99 Number `json:"p99"`
	Max Number `json:"max"`
}

// Transport sums up the connections of the run whose records were added.
func (t *Tracer) Transport(x loadgen.Transport) *Transport {
	out := &Transport{
		Engine: x.Engine, Protocol: x.Protocol, Opened: x.Opened, Reused: x.Reused,
		ReuseRate:  Number(float64(x.Reused) / float64(max(x.Opened+x.Reused, 1))),
		DialErrors: x.DialErrors, Retried: x.Retried, MaxOpen: x.MaxOpen, Failures: map[string]int{},
		Dial: t.delay(func(c *loadgen.Conn) time.Duration { return c.Dial }),
		TLS:  t.delay(func(c *loadgen.Conn) time.Duration { return c.TLS }),
		Wait: t.delay(func(c *loadgen.Conn) time.Duration { return c.Wait }),
	}
	for i := range t.calls {
		if t.calls[i].Failed {
			out.Failures[t.calls[i].Error]++
		}
	}
	return out
}

func (t *Tracer) delay(of func(*loadgen.Conn) time.Duration) Delay {
	var seconds []float64
	for i := range t.dialled {
		if d := of(&t.dialled[i]); d > 0 {
			seconds = append(seconds, d.Seconds())
		}
	}
	s := metrics.Sorted(seconds)
	return Delay{len(s), Number(metrics.Percentile(s, 50)), Number(metrics.Percentile(s, 99)), Number(sum(s))}
}

// ClientHealthOf sums up the generator's health and what the verdict made of it.
func ClientHealthOf(h loadgen.Health, v metrics.Validity) *ClientHealth {
	out := &ClientHealth{
		Verdict: v.Verdict, Reasons: []string{}, CPU: undefined, Machine: undefined,
		RSSPeak: h.RSSPeak, HeapPeak: h.HeapPeak, Goroutines: h.Goroutines, GCCycles: h.GCCycles,
		GCPause: delaysOf(h.GCPause), Scheduling: delaysOf(h.SchedLatency), Starved: h.Starved,
	}
	for _, reason := range v.Reasons {
		out.Reasons = append(out.Reasons, reason.Text)
	}
	cpus := float64(h.CPUs)
	if h.CPUQuota > 0 {
		cpus = min(cpus, h.CPUQuota)
	}
	if h.Wall > 0 && cpus > 0 {
		out.CPU = Number(h.ProcessCPU.Seconds() / h.Wall.Seconds() / cpus)
	}
	if h.MachineBusy >= 0 {
		out.Machine = Number(h.MachineBusy)
	}
	return out
}

func delaysOf(q loadgen.Quantiles) Delays {
	level := func(v float64) Number {
		if v < 0 {
			return undefined
		}
		return Number(v)
	}
	return Delays{level(q.P50), level(q.P99), level(q.Max)}
}
