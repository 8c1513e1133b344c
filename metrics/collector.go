package metrics

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"loadgen"
)

// A Collector folds the records of one run as they end.
//
// Add is called from one goroutine; Live may be called from any at any time,
// and takes the lock that Add holds for well under a microsecond a record.
// Nothing of a record is kept: it may be recycled after Add.
type Collector struct {
	mu        sync.Mutex
	facts     Facts
	slos      []slo
	m         Measurement
	warmup    tally
	profiling tally
	evidence  evidence

	liveTTFT, liveITL *hdrhistogram.Histogram
}

type slo struct {
	id     ID
	limit  float64
	larger bool
}

// NewCollector returns a collector for a run. It fails where an SLO names no
// per-request metric or a limit no threshold.
func NewCollector(facts Facts) (*Collector, error) {
	c := &Collector{
		facts:     facts,
		m:         Measurement{ServerInput: facts.ServerInput},
		warmup:    tally{series: newSeries(), handed: newSeries()},
		profiling: tally{series: newSeries(), handed: newSeries(), track: newTrack(), absent: away{spent: newSeries()}},
		liveTTFT:  newHistogram(),
		liveITL:   newHistogram(),
		evidence:  newEvidence(slices.Concat(facts.Sought, facts.Certified)),
	}
	for tag, limit := range facts.SLOs {
		d, ok := Lookup(tag)
		if !ok || d.Kind != PerRequest || d.ID == ErrorISL {
			return nil, fmt.Errorf("slo %s: no such per-request metric; docs/metrics.md lists them", tag)
		}
		c.slos = append(c.slos, slo{d.ID, limit, d.Larger})
	}
	if _, err := thresholds(facts.Limits); err != nil {
		return nil, err
	}
	return c, nil
}

// SetRate says what rate was asked for, where that is only known after the
// warm-up.
func (c *Collector) SetRate(perSecond float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts.Load.Rate = perSecond
}

// Add folds one record and returns what it measured of it, which is valid
// until the next Add.
func (c *Collector) Add(r *loadgen.Record) *Measurement {
	c.mu.Lock()
	defer c.mu.Unlock()
	Measure(r, &c.m)
	t := &c.profiling
	if r.Phase == loadgen.Warmup {
		t = &c.warmup
	}
	good := r.OK() && len(c.slos) > 0 && c.good()
	t.add(r, &c.m, good)
	if r.Phase == loadgen.Profiling {
		c.evidence.add(r, &c.m, good)
		t.track.add(r, &c.m)
	}
	if r.Crossing {
		c.profiling.cross(r, &c.m)
	}
	if c.facts.Load.Users > 0 {
		c.profiling.absent.add(r)
	}
	if r.Phase == loadgen.Profiling {
		c.live()
	}
	return &c.m
}

// live records what Live shows of a measured request; a failed one has none
// of it.
func (c *Collector) live() {
	if v, ok := c.m.Value(TTFT); ok {
		record(c.liveTTFT, v, 1)
	}
	if v, ok := c.m.Value(ITL); ok {
		record(c.liveITL, v, 1)
	}
}

// good reports whether the measurement meets every SLO; a metric it lacks is
// not met.
func (c *Collector) good() bool {
	for _, s := range c.slos {
		v, ok := c.m.Value(s.id)
		if !ok || (s.larger && v < s.limit) || (!s.larger && v > s.limit) {
			return false
		}
	}
	return true
}

// Live is how a run stands so far.
type Live struct {
	Warmup, OK, Failed, Cancelled int
	Tokens                        float64       // output tokens of successful requests
	Elapsed                       time.Duration // from the first request sent to the last one ended
	RequestRate, TokenRate        float64       // per second of Elapsed; 0 before any time has passed
	// TTFT and ITL are percentiles in milliseconds, within 0.1 %; 0 while
	// there are none.
	TTFTP50, TTFTP99, ITLP50, ITLP99 float64

	Load     loadgen.Load // as it was asked for
	Good     int          // met every SLO; -1 where there are none
	Failures []Error      // most frequent first
}

// Live returns how the run stands. It is safe while Add runs.
func (c *Collector) Live() Live {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.profiling
	l := Live{
		Warmup: c.warmup.issued(), OK: t.ok, Failed: t.failed, Cancelled: t.cancelled,
		Tokens: t.tokens, Elapsed: t.lastEnd - t.firstSent,
		Load: c.facts.Load, Good: -1, Failures: t.failures(),
	}
	if len(c.slos) > 0 {
		l.Good = t.good
	}
	if l.Elapsed > 0 {
		l.RequestRate = float64(t.ok) / l.Elapsed.Seconds()
		l.TokenRate = l.Tokens / l.Elapsed.Seconds()
	}
	for _, q := range []struct {
		h        *hdrhistogram.Histogram
		p50, p99 *float64
	}{{c.liveTTFT, &l.TTFTP50, &l.TTFTP99}, {c.liveITL, &l.ITLP50, &l.ITLP99}} {
		*q.p50 = float64(q.h.ValueAtPercentile(50)) / ticksPerUnit
		*q.p99 = float64(q.h.ValueAtPercentile(99)) / ticksPerUnit
	}
	return l
}

// Summary folds what was added with what the run says of itself.
func (c *Collector) Summary(o loadgen.Outcome, h loadgen.Health, tr loadgen.Transport) Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.profiling
	s := Summary{
		Load:        c.facts.Load,
		Metrics:     t.metrics(o, len(c.slos) > 0, func(v map[string]float64) { c.facts.perGPU(v); c.energy(v, o.Server) }),
		Warmup:      c.warmup.metrics(o, false, c.facts.perGPU),
		GPUs:        c.facts.GPUs,
		Errors:      t.failures(),
		Counts:      t.counts(o, len(c.slos) > 0),
		Lag:         delayOf(&t.lag),
		OwnLag:      delayOf(&t.ownLag),
		ReaderDelay: delayOf(&t.readerDelay),
		Sources:     t.sources,
		Percentiles: "exact, linear interpolation",
		Cancelled:   o.Cancelled || o.Cut != "",
	}
	s.Counts.Warmup = c.warmup.issued()
	s.Sources.Tokenizer = c.facts.Tokenizer
	if t.templated > 0 && t.templated == t.ok {
		s.Sources.TemplateTokens = float64(t.template) / float64(t.ok)
	}
	if t.issued() > ExactLimit {
		s.Percentiles = fmt.Sprintf("HdrHistogram of 3 significant digits: more than %d requests", ExactLimit)
	}
	s.Weak = weakPercentiles(s.Metrics)
	c.windows(&s, o)
	s.Rate = c.rate()
	s.Stalls = t.stalls(c.facts.Load.Users, o)
	s.Server, s.Workers = c.server(&s, o), o.Workers
	s.RoundTrip = millis(tr.RoundTrip)
	s.Validity = c.judge(&s, o, h, tr)
	s.Certificates = c.certificates()
	return s
}

func delayOf(d *distribution) *Delay {
	if d.count() == 0 {
		return nil
	}
	return &Delay{P50: d.percentile(50), P99: d.percentile(99), Max: d.moments().max}
}

// weakPercentiles names, by tag, the upper percentiles that rest on too few
// values.
func weakPercentiles(ms []Metric) map[string][]string {
	weak := map[string][]string{}
	for _, m := range ms {
		if m.Stats == nil || m.Stats.Count == 0 {
			continue
		}
		for _, p := range m.Stats.percentiles() {
			if p.level >= 90 && !Supported(p.level, m.Stats.Count) {
				weak[m.Tag] = append(weak[m.Tag], fmt.Sprintf("p%g", p.level))
			}
		}
	}
	if len(weak) == 0 {
		return nil
	}
	return weak
}

// rate compares asked and achieved rate; nil for a closed loop whose users have
// no pace.
func (c *Collector) rate() *Rate {
	p := &c.profiling.pace
	if c.facts.Load.Mode == loadgen.UserPaced {
		t := &c.profiling
		if span := (t.lastSent - t.firstSent).Seconds(); span > 0 {
			return &Rate{Asked: c.facts.Load.Rate, Achieved: float64(t.issued()-1) / span}
		}
		return nil
	}
	span := (p.lastSent - p.firstSent).Seconds()
	if c.facts.closedLoop() || p.sessions < 2 || span <= 0 {
		return nil
	}
	return &Rate{
		Asked:        c.facts.Load.Rate,
		Achieved:     float64(p.sessions-1) / span,
		CeilingBound: c.profiling.held*100 > c.profiling.issued(),
	}
}

func (t *tally) failures() []Error {
	errs := make([]Error, 0, len(t.errors))
	for _, e := range t.errors {
		errs = append(errs, *e)
	}
	sort.Slice(errs, func(i, j int) bool {
		if errs[i].Count != errs[j].Count {
			return errs[i].Count > errs[j].Count
		}
		if errs[i].Kind != errs[j].Kind {
			return errs[i].Kind < errs[j].Kind
		}
		return errs[i].Status < errs[j].Status
	})
	return errs
}
