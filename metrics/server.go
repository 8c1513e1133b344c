package metrics

import (
	"fmt"
	"math"
	"strings"

	"loadgen"
)

// A Server is what the server said of itself, with what follows from that and the
// requests' own figures.
type Server struct {
	*loadgen.Server
	// Requests, InputTokens and OutputTokens are counted from before the first
	// request of the warm-up until after the last answer: by the records of those
	// that succeeded, and by the server.
	Requests     *Both `json:"requests,omitempty"`
	InputTokens  *Both `json:"input_tokens,omitempty"`
	OutputTokens *Both `json:"output_tokens,omitempty"`
	// Latency, TTFT and ITL are means in milliseconds over the measured phase, or over
	// that and the warm-up, where so many answers of the warm-up ended in it that the
	// server's are of others than the client's.
	Latency    *Both  `json:"request_latency_ms,omitempty"`
	ITL        *Both  `json:"inter_token_latency_ms,omitempty"`
	TTFT       *Split `json:"time_to_first_token_ms,omitempty"`
	WithWarmup bool   `json:"times_with_warmup,omitempty"`
	// Outside is what of the mean latency passes outside of the server, in
	// milliseconds, over warm-up and measurement; nil where it does not tell.
	Outside *float64 `json:"latency_outside_server_ms,omitempty"`
	// Prefix is how much of the prompts came from the prefix cache.
	Prefix *PrefixUse `json:"prefix_cache,omitempty"`
	// Partial says that the server counted clearly fewer requests than were
	// answered: others were served by what was not asked.
	Partial bool `json:"partial,omitempty"`
	// Foreign says that it had clearly more.
	Foreign bool `json:"foreign,omitempty"`
	// Before is the share of the requests in flight that clearly waited before the
	// server; 0 for none.
	Before float64 `json:"waiting_before_share,omitempty"`
	// Doubtful says that the server's times are longer than what was seen from here
	// of the same requests: they are used for nothing.
	Doubtful bool `json:"times_doubtful,omitempty"`
}

// Both is one figure as the client and as the server know it.
type Both struct {
	Client float64 `json:"client"`
	Server float64 `json:"server"`
}

// A Split is where the time to the first token went, means in milliseconds.
// Outside is what the server did not see: the network, and whatever stands before
// the server. It is over warm-up and measurement, of which both sides have seen the
// same requests, and the others over the measurement alone, at whose beginning the
// server has some of the warm-up's. Queue and Prefill are 0 where it does not tell them.
type Split struct {
	Client  float64 `json:"client"`
	Server  float64 `json:"server"`
	Outside float64 `json:"outside_server"`
	Queue   float64 `json:"queue,omitempty"`
	Prefill float64 `json:"prefill,omitempty"`
}

// A PrefixUse holds the share of prompt tokens that came from the prefix cache
// against the share with which prompts of the run begin alike, which is its bound.
// Text is what of that is no chat template's, of which a part may stand behind the
// prompt's own text, where nothing is shared.
type PrefixUse struct {
	HitRate float64 `json:"hit_rate"`
	Bound   float64 `json:"upper_bound"`
	Text    float64 `json:"shared_text"`
}

// Cold reports whether clearly less came from the cache than what prompts share.
func (p *PrefixUse) Cold() bool { return p.Text > 0.1 && p.HitRate < p.Text/2 }

// server joins what the server said with what was measured; nil for nothing.
func (c *Collector) server(s *Summary, o loadgen.Outcome) *Server {
	if o.Server == nil {
		return nil
	}
	v := &Server{Server: o.Server}
	warm, measured := &c.warmup, &c.profiling
	whole, phase := &o.Server.Whole, o.Server.Measured
	v.Requests = both(float64(warm.ok+measured.ok), whole.Count, "requests")
	v.OutputTokens = both(warm.tokens+measured.tokens, whole.Count, "output_tokens")
	v.InputTokens = both(warm.inputTokens()+measured.inputTokens(), whole.Count, "prompt_tokens")
	times := timesOf{c, phase, false}
	if c.crossed(phase) {
		times = timesOf{c, whole, true}
	}
	v.WithWarmup = times.warmup
	v.Latency = times.means(RequestLatency, "e2e")
	v.ITL = times.means(ITL, "itl")
	v.TTFT = times.split(c.outside(TTFT, whole, "ttft"))
	v.Outside = c.outside(RequestLatency, whole, "e2e")
	if c.tooLong(TTFT, whole, "ttft") || c.tooLong(RequestLatency, whole, "e2e") {
		v.Doubtful, v.TTFT, v.Outside = true, nil, nil
	}
	if hits, ok := phase.Count("prefix_hits"); ok {
		// A server whose cache is off looks nothing up.
		if queries, ok := phase.Count("prefix_queries"); ok && measured.cache.all > 0 {
			v.Prefix = &PrefixUse{HitRate: hits / max(queries, 1), Bound: measured.cache.bound / measured.cache.all, Text: measured.cache.text / measured.cache.all}
		}
	}
	return v
}

// inputTokens are those of the prompts that were answered, as the server counted
// them where it says so in its replies.
func (t *tally) inputTokens() float64 {
	if usage := t.dists[UsagePrompt].moments(); int(usage.n) == t.ok {
		return usage.sum
	}
	return t.dists[ISL].moments().sum
}

func both(client float64, count func(string) (float64, bool), noun string) *Both {
	server, ok := count(noun)
	if !ok {
		return nil
	}
	return &Both{client, server}
}

// crossed reports whether the server's times of the measured phase are of other
// requests than the client's: answers of the warm-up that ended in it.
func (c *Collector) crossed(phase *loadgen.ServerWindow) bool {
	for id, noun := range map[ID]string{TTFT: "ttft", RequestLatency: "e2e"} {
		n := float64(c.profiling.dists[id].moments().n)
		if t, ok := phase.Time(noun); ok && math.Abs(t.N-n) > max(1, n/20) {
			return true
		}
	}
	return false
}

// A timesOf holds the client's times against the server's of a window.
type timesOf struct {
	c      *Collector
	w      *loadgen.ServerWindow
	warmup bool // the window has it too
}

// means returns a mean of the client's and the server's in milliseconds; nil where
// one of them does not tell.
func (x timesOf) means(id ID, noun string) *Both {
	of := x.c.profiling.dists[id].moments()
	n, sum := float64(of.n), of.sum
	if x.warmup {
		warm := x.c.warmup.dists[id].moments()
		n, sum = n+float64(warm.n), sum+warm.sum
	}
	t, ok := x.w.Time(noun)
	if !ok || n == 0 {
		return nil
	}
	return &Both{sum / n, 1e3 * t.Mean}
}

// outside returns what of a mean time passes outside of the server, over warm-up
// and measurement; nil where one side does not tell.
func (c *Collector) outside(id ID, whole *loadgen.ServerWindow, noun string) *float64 {
	t, ok := whole.Time(noun)
	warm, measured := c.warmup.dists[id].moments(), c.profiling.dists[id].moments()
	n := float64(warm.n + measured.n)
	if !ok || n == 0 {
		return nil
	}
	out := max((warm.sum+measured.sum)/n-1e3*t.Mean, 0)
	return &out
}

// tooLong reports whether a mean time of the server's is clearly longer than the same
// time was from here, which it is a part of: over warm-up and measurement, of no more
// requests than were sent.
func (c *Collector) tooLong(id ID, whole *loadgen.ServerWindow, noun string) bool {
	const share, more = 1.1, 5 // ms
	t, ok := whole.Time(noun)
	warm, measured := c.warmup.dists[id].moments(), c.profiling.dists[id].moments()
	n := float64(warm.n + measured.n)
	return ok && n > 0 && t.N <= n && 1e3*t.Mean > share*(warm.sum+measured.sum)/n+more
}

// split says where the time to the first token went.
func (x timesOf) split(outside *float64) *Split {
	ttft := x.means(TTFT, "ttft")
	if ttft == nil || outside == nil {
		return nil
	}
	out := &Split{Client: ttft.Client, Server: ttft.Server, Outside: *outside}
	if queue, ok := x.w.Time("queue"); ok {
		out.Queue = 1e3 * queue.Mean
	}
	if prefill, ok := x.w.Time("prefill"); ok {
		out.Prefill = 1e3 * prefill.Mean
	}
	return out
}

const (
	// fewBeside is how many looks at both sides tell anything.
	fewBeside = 5
)

// judgeServer holds the load that the server saw against the one that was made.
func (c *Collector) judgeServer(j *judge, s *Summary) {
	v := s.Server
	if v == nil {
		return
	}
	if restarts(v.Server) {
		return // its counts are not whole
	}
	if v.Workers > 1 {
		v.Partial = true // the other way round: this is one worker's part of the load
		return
	}
	extra, known := c.extra(v)
	v.Foreign = known && extra > j.limits["foreign_load"].Degraded
	v.Partial = known && v.Requests != nil && extra < -j.limits["foreign_load"].Degraded
	switch ahead, before := c.ahead(s); {
	case v.Partial:
		j.note("the server whose metrics were asked for counted %.0f of the %.0f requests: others were served by what was not asked, and its figures are those of a part", v.Requests.Server, v.Requests.Client)
	case v.Foreign:
		j.sign("foreign_load", extra)
		j.say("foreign_load", foreignText(v))
	case ahead > j.limits["foreign_load"].Degraded && !known:
		v.Foreign = true
		j.sign("foreign_load", ahead)
		j.say("foreign_load", fmt.Sprintf("foreign load: the server had %.3g requests on average where this run had %.3g in flight: others use it too", v.Beside.Server, v.Beside.Client))
	case before > j.limits["foreign_load"].Degraded:
		v.Before = before
		j.sign("foreign_load", before)
		j.say("foreign_load", fmt.Sprintf("a queue before the server: of %.3g requests in flight only %.3g were in it: a proxy or a cap on connections holds the others back, and the latencies are not the server's alone", v.Beside.Client, v.Beside.Server))
	case known || v.Beside != nil && v.Beside.N >= fewBeside:
		j.sign("foreign_load", max(extra, 0))
	}
	if v.Doubtful && !v.Partial && !v.Foreign {
		j.note("the server says that its requests took longer than they did from here: its clock was set, or it measures something else; its times are used for nothing")
	}
	c.judgePrefix(j, v)
}

func restarts(s *loadgen.Server) bool {
	for _, source := range s.Sources {
		if source.Restarts > 0 {
			return true
		}
	}
	return false
}

// extra is how many more requests, or tokens of answers, the server counted than
// the run can have caused, as a share of the run's own; negative for fewer.
// Requests that failed or were cut off may have been counted or not.
func (c *Collector) extra(v *Server) (share float64, known bool) {
	unsure := float64(c.warmup.failed + c.warmup.cancelled + c.profiling.failed + c.profiling.cancelled)
	ok := float64(c.warmup.ok + c.profiling.ok)
	if ok == 0 {
		return 0, false
	}
	beyond := func(b *Both, each float64) {
		if b == nil || b.Client <= 0 {
			return
		}
		more := b.Server - b.Client
		if more > 0 {
			more = max(more-unsure*each-each, 0) // one may be counted late
		} else if more = min(more+each, 0); each != 1 {
			more = 0 // a tokenizer may count fewer
		}
		known = true
		if math.Abs(more/b.Client) > math.Abs(share) {
			share = more / b.Client
		}
	}
	beyond(v.Requests, 1)
	// Answers that began before the run, and go on behind it, are no requests of its
	// time: their tokens tell. Its own tokens are only known where the server's
	// usage counts them.
	if c.profiling.sources.OSLUsage == c.profiling.ok && v.OutputTokens != nil {
		beyond(v.OutputTokens, v.OutputTokens.Client/ok)
	}
	return share, known
}

// ahead returns how many more requests the server had than the run had in flight,
// as a share of these, and how many of these waited before the server: clearly so,
// beyond chance and one request.
func (c *Collector) ahead(s *Summary) (ahead, before float64) {
	b := s.Server.Beside
	if b == nil || b.N < fewBeside || b.Client <= 0 {
		return 0, 0
	}
	sure := max(1, 3*b.Error)
	ahead = max(b.Server-b.Client-sure, 0) / b.Client
	before = max(b.Client-b.Server-sure, 0) / b.Client
	// Gauges of some servers are seldom brought up to date. Time that requests spent
	// outside of the server tells as well, by Little's law; what the network alone
	// takes is no queue.
	if v := s.Server; v.Outside != nil && v.Latency != nil && v.Latency.Client > 0 {
		before = min(before, max(*v.Outside-NetworkTime(v.Server), 0)/v.Latency.Client)
	}
	return ahead, before
}

// NetworkTime is the least time in milliseconds that a server took to answer for
// its metrics: what the network takes, and little more.
func NetworkTime(s *loadgen.Server) float64 {
	least := 0.0
	for _, source := range s.Sources {
		if !source.GPU && source.Least > 0 && (least == 0 || source.Least < least) {
			least = source.Least
		}
	}
	return least
}

// foreignText says what the server counted beyond the run's own.
func foreignText(v *Server) string {
	var parts []string
	if b := v.Requests; b != nil {
		parts = append(parts, fmt.Sprintf("answered %.0f requests where this run sent %.0f that succeeded", b.Server, b.Client))
	}
	if b := v.OutputTokens; b != nil {
		parts = append(parts, fmt.Sprintf("made %.0f tokens where its answers had %.0f", b.Server, b.Client))
	}
	return "foreign load: the server " + strings.Join(parts, ", and ") + ": others use it too, and the figures are those of a shared server"
}

// judgePrefix holds the server's own hit rate against what the run's prompts can
// share, where its replies do not say what was cached.
func (c *Collector) judgePrefix(j *judge, v *Server) {
	p := v.Prefix
	if p == nil || v.Foreign || v.Partial {
		return
	}
	text := fmt.Sprintf("%.3g %% of the prompt tokens came from the server's prefix cache, of at most %.3g %% with which prompts of this run begin alike", 100*p.HitRate, 100*p.Bound)
	if _, told := j.signs["warm_cache"]; !told && c.profiling.cache.prompt == 0 {
		beyond := max(p.HitRate-p.Bound, 0)
		if c.facts.Resent {
			j.note("%s: the batch has sent them before", text)
			return
		}
		j.sign("warm_cache", beyond)
		j.say("warm_cache", "a warm cache: "+text+": the server has seen them before; TTFT and input throughput are not those of new prompts; see cache_bust")
	}
	if p.Cold() {
		j.note("a cold cache: %s", text)
	}
}
