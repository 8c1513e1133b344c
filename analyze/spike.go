package analyze

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"loadgen"
	"loadgen/metrics"
)

// A SpikeReport is concurrency_spike_analysis. Times are unix seconds.
type SpikeReport struct {
	Distribution Object[Number] `json:"concurrency_distribution"` // level: seconds
	P50          Number         `json:"p50_concurrency"`
	P90          Number         `json:"p90_concurrency"`
	P95          Number         `json:"p95_concurrency"`
	P99          Number         `json:"p99_concurrency"`
	Threshold    int            `json:"spike_threshold"`
	Intervals    []Spike        `json:"spike_intervals"`
	Tokens       SpikeTokens    `json:"correlation_stats"`
	Latency      Object[Number] `json:"average_latency_by_concurrency"` // level halfway through a call: seconds
	More         *SpikeMore     `json:"loadgen,omitempty"`

	Calls int `json:"-"` // analysed
}

// A Spike is a stretch at or above the threshold; in AIQ's form one of
// constant level.
type Spike struct {
	Start       Number   `json:"start_time"`
	End         Number   `json:"end_time"`
	Concurrency int      `json:"concurrency"` // the peak
	Active      []string `json:"active_uuids"`

	Length  Number `json:"length,omitzero"`
	TimeAvg Number `json:"time_avg_concurrency,omitzero"`
	Calls   int    `json:"active_calls,omitzero"` // all of them, also where Active is cut
}

// SpikeTokens are the mean tokens of the calls active in spikes: of each call
// once, in AIQ's form once per spike.
type SpikeTokens struct {
	Prompt Number `json:"avg_prompt_tokens"`
	Total  Number `json:"avg_total_tokens"`
}

// SpikeMore is what AIQ does not say of concurrency.
type SpikeMore struct {
	// Label is "busy" where the threshold is 1: then every moment with a call
	// in flight counts.
	Label           string `json:"label"`
	ThresholdSource string `json:"threshold_source"`
	Peak            int    `json:"peak"`
	TimeAvg         Number `json:"time_avg_concurrency"`
	BusyP50         Number `json:"busy_p50_concurrency"` // idle time left out
	BusyP90         Number `json:"busy_p90_concurrency"`
	BusyP95         Number `json:"busy_p95_concurrency"`
	BusyP99         Number `json:"busy_p99_concurrency"`

	Inside  SpikeTimes `json:"inside_spikes"`
	Outside SpikeTimes `json:"outside_spikes"`

	// ByLifetime is the latency by the concurrency averaged over each call's
	// life, and its rank correlation with that.
	ByLifetime []LatencyAt `json:"latency_by_lifetime_concurrency"`
	Spearman   Number      `json:"spearman_latency_concurrency"`
	ZeroLength int         `json:"zero_length_calls"`
	LeftOut    int         `json:"spikes_left_out"`
}

// SpikeTimes are the mean TTFT and ITL of the calls of which more than half
// of that phase lay inside spikes, or of the others.
type SpikeTimes struct {
	Calls int    `json:"calls"`
	TTFT  Number `json:"avg_ttft"` // seconds
	ITL   Number `json:"avg_itl"`  // seconds
}

// A LatencyAt is the mean latency at a rounded concurrency.
type LatencyAt struct {
	Concurrency int    `json:"concurrency"`
	Calls       int    `json:"calls"`
	Latency     Number `json:"avg_latency"` // seconds
}

// ConcurrencySpikes finds when calls crowd and what that does to them. Calls
// in flight are the leaves; AIQ's form counts all LLM and tool calls.
func ConcurrencySpikes(tr *loadgen.Trace, opt Options) *SpikeReport {
	return newView(tr, opt).spikes()
}

// spikes is worked out once: a finding asks for it too.
func (v *view) spikes() *SpikeReport {
	if v.crowds == nil {
		v.crowds = v.findSpikes()
	}
	return v.crowds
}

func (v *view) findSpikes() *SpikeReport {
	flight := v.flight
	inFlight := func(i int) bool { return v.leaf[i] }
	if v.opt.AIQ {
		inFlight = func(i int) bool {
			return v.calls[i].Kind == loadgen.LLMCall || v.calls[i].Kind == loadgen.ToolCallKind
		}
		flight = v.timeline(inFlight)
	}
	levels := flight.Distribution()
	out := &SpikeReport{
		Distribution: levelObject(levels), Intervals: []Spike{}, Threshold: v.opt.SpikeThreshold,
		P50: levelPercentile(levels, 50), P90: levelPercentile(levels, 90),
		P95: levelPercentile(levels, 95), P99: levelPercentile(levels, 99),
	}
	source := "given"
	if out.Threshold <= 0 {
		out.Threshold, source = 1, "p90 of the concurrency over time, rounded up"
		if out.P90.Defined() {
			out.Threshold = max(1, int(math.Ceil(float64(out.P90))))
		}
	}
	active := make([]*loadgen.Call, 0, len(v.calls))
	for i, c := range v.calls {
		if inFlight(i) {
			active = append(active, c)
		}
	}
	out.Calls = len(active)
	if v.opt.AIQ {
		v.aiqSpikes(out, flight, active)
		return out
	}
	out.More = &SpikeMore{Label: "spike", ThresholdSource: source, Peak: flight.peak()}
	if out.Threshold == 1 {
		out.More.Label = "busy"
	}
	spikes := merge(flight.Segments, out.Threshold)
	v.describe(out, spikes, flight, active)
	v.latencies(out, flight)
	crowd := newCover(spikes)
	out.Tokens = tokensIn(crowd, active)
	out.More.Inside, out.More.Outside = crowd.split(active)
	return out
}

// merge joins neighbouring segments at or above a level.
func merge(segments []Segment, threshold int) []Segment {
	var spikes []Segment
	for _, s := range segments {
		if s.Level < threshold {
			continue
		}
		if last := len(spikes) - 1; last >= 0 && spikes[last].End == s.Start {
			spikes[last].End = s.End
			spikes[last].Level = max(spikes[last].Level, s.Level)
			continue
		}
		spikes = append(spikes, s)
	}
	return spikes
}

// describe lists the spikes with their active calls. Those are listed in one
// sweep: what was active when a spike began, then what started in it.
func (v *view) describe(out *SpikeReport, spikes []Segment, flight *Timeline, calls []*loadgen.Call) {
	byStart := slices.Clone(calls)
	slices.SortStableFunc(byStart, func(a, b *loadgen.Call) int { return cmp.Compare(a.Start, b.Start) })
	ends := make([]float64, 0, len(calls))
	for _, c := range calls {
		ends = append(ends, c.End)
	}
	slices.Sort(ends)
	listed := v.opt.limit(len(spikes))
	out.More.LeftOut = len(spikes) - listed
	var open []*loadgen.Call // active, in order of start; the ended are dropped as we pass
	next := 0
	for _, s := range spikes[:listed] {
		open = slices.DeleteFunc(open, func(c *loadgen.Call) bool { return c.End <= s.Start })
		for ; next < len(byStart) && byStart[next].Start < s.End; next++ {
			if c := byStart[next]; c.End > s.Start && c.End > c.Start {
				open = append(open, c)
			}
		}
		started := sort.Search(len(byStart), func(i int) bool { return byStart[i].Start >= s.End })
		ended := sort.SearchFloat64s(ends, math.Nextafter(s.Start, math.Inf(1)))
		spike := Spike{
			Start: v.absolute(s.Start), End: v.absolute(s.End), Concurrency: s.Level,
			Length: Number(s.End - s.Start), TimeAvg: Number(flight.Area(s.Start, s.End) / (s.End - s.Start)),
			Calls: started - ended, Active: []string{},
		}
		for _, c := range open[:v.opt.limit(len(open))] {
			spike.Active = append(spike.Active, c.ID)
		}
		out.Intervals = append(out.Intervals, spike)
	}
}

// latencies fills the two tables of latency by concurrency, of successful
// calls: by the level halfway through, and by the average over the call's
// life.
func (v *view) latencies(out *SpikeReport, flight *Timeline) {
	var levels, took []float64
	midpoint, lifetime := map[int][]float64{}, map[int][]float64{}
	for _, c := range v.leaves {
		if c.Duration() == 0 {
			out.More.ZeroLength++
			continue
		}
		if c.Failed || v.trace.Untimed {
			continue
		}
		d := c.Duration()
		average := flight.Area(c.Start, c.End) / d
		levels, took = append(levels, average), append(took, d)
		mid := flight.Level(c.Start + d/2)
		midpoint[mid] = append(midpoint[mid], d)
		lifetime[int(math.Round(average))] = append(lifetime[int(math.Round(average))], d)
	}
	out.Latency = make(Object[Number], 0, len(midpoint))
	for _, l := range latencyAt(midpoint) {
		out.Latency = append(out.Latency, levelObject([]LevelTime{{l.Concurrency, float64(l.Latency)}})...)
	}
	out.More.ByLifetime = latencyAt(lifetime)
	out.More.Spearman = Spearman(levels, took)
	all := flight.Distribution()
	out.More.TimeAvg = undefined
	if from, to := flight.Span(); to > from {
		out.More.TimeAvg = Number(flight.Area(from, to) / (to - from))
	}
	all = busy(all)
	out.More.BusyP50, out.More.BusyP90 = levelPercentile(all, 50), levelPercentile(all, 90)
	out.More.BusyP95, out.More.BusyP99 = levelPercentile(all, 95), levelPercentile(all, 99)
}

func latencyAt(byLevel map[int][]float64) []LatencyAt {
	table := make([]LatencyAt, 0, len(byLevel))
	for level, took := range byLevel {
		table = append(table, LatencyAt{level, len(took), Number(metrics.Mean(took))})
	}
	slices.SortFunc(table, func(a, b LatencyAt) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
	return table
}

// A cover answers how much of a stretch of time lies inside spikes.
type cover struct {
	spikes []Segment
	before []float64 // seconds inside before each spike
}

func newCover(spikes []Segment) *cover {
	c := &cover{spikes: spikes, before: make([]float64, len(spikes)+1)}
	for i, s := range spikes {
		c.before[i+1] = c.before[i] + s.End - s.Start
	}
	return c
}

// until returns the seconds inside spikes before a moment.
func (c *cover) until(moment float64) float64 {
	i := sort.Search(len(c.spikes), func(i int) bool { return c.spikes[i].End > moment })
	if i == len(c.spikes) {
		return c.before[i]
	}
	return c.before[i] + max(0, moment-c.spikes[i].Start)
}

// inside reports whether more than half of a stretch lies in spikes.
func (c *cover) inside(from, to float64) bool {
	return c.until(to)-c.until(from) > (to-from)/2
}

func (c *cover) split(calls []*loadgen.Call) (inside, outside SpikeTimes) {
	var n [2]int
	var ttft, itl [2][]float64
	side := func(from, to float64) int {
		if c.inside(from, to) {
			return 0
		}
		return 1
	}
	for _, call := range calls {
		if call.Failed || call.Duration() == 0 {
			continue
		}
		n[side(call.Start, call.End)]++
		if t, ok := ttftOf(call); ok {
			k := side(call.Start, call.FirstToken)
			ttft[k] = append(ttft[k], t)
		}
		if gap, ok := itlOf(call); ok {
			k := side(call.FirstToken, call.End)
			itl[k] = append(itl[k], gap)
		}
	}
	times := func(k int) SpikeTimes {
		return SpikeTimes{n[k], Number(metrics.Mean(ttft[k])), Number(metrics.Mean(itl[k]))}
	}
	return times(0), times(1)
}

// ttftOf returns the seconds to the first token.
func ttftOf(c *loadgen.Call) (seconds float64, ok bool) {
	return c.FirstToken - c.Start, c.Done() && c.FirstToken >= c.Start && c.FirstToken <= c.End
}

// itlOf returns the mean seconds between tokens: (latency − TTFT) ÷ (tokens − 1).
func itlOf(c *loadgen.Call) (seconds float64, ok bool) {
	if _, streamed := ttftOf(c); !streamed || c.CompletionTokens < 2 {
		return 0, false
	}
	return (c.End - c.FirstToken) / float64(c.CompletionTokens-1), true
}

// A tokenMean averages what is positive, as AIQ does.
type tokenMean struct{ prompt, total, prompts, totals float64 }

// add counts a call in with weight 1, or out again with weight -1.
func (m *tokenMean) add(c *loadgen.Call, weight float64) {
	if c.PromptTokens > 0 {
		m.prompt += weight * float64(c.PromptTokens)
		m.prompts += weight
	}
	if t := max(0, c.PromptTokens) + max(0, c.CompletionTokens); t > 0 {
		m.total += weight * float64(t)
		m.totals += weight
	}
}

func (m *tokenMean) merge(other tokenMean) {
	m.prompt += other.prompt
	m.prompts += other.prompts
	m.total += other.total
	m.totals += other.totals
}

func (m *tokenMean) means() SpikeTokens {
	return SpikeTokens{Number(m.prompt / m.prompts), Number(m.total / m.totals)}
}

func tokensIn(crowd *cover, calls []*loadgen.Call) SpikeTokens {
	var m tokenMean
	for _, c := range calls {
		if crowd.until(c.End) > crowd.until(c.Start) {
			m.add(c, 1)
		}
	}
	return m.means()
}
