package sweep

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"loadgen/metrics"
)

// A Search looks for the greatest load that keeps its limits, in place of the
// one run that each cell would have.
type Search struct {
	// Over is the key that is varied.
	Over string `yaml:"over" need:"concurrency"`
	// From is the first load; no load above To is tried, 0 for none.
	From float64 `yaml:"from" validate:"gt=0"`
	To   float64 `yaml:"to" validate:"gt=0"`
	// SLOs are the limits of every tier.
	SLOs SearchLimits `yaml:"slos"`
	// Tiers have limits of their own: one set of probes serves them all.
	Tiers map[string]SearchLimits `yaml:"tiers"`
	// Precision is how close two loads come to each other around the answer, as
	// a share; Confidence that with which a probe is sure.
	Precision  Percent `yaml:"precision"`
	Confidence Percent `yaml:"confidence"`
	// ConfirmOpen puts the capacity of a closed loop to the proof of an open one.
	ConfirmOpen bool `yaml:"confirm_open"`
	// TimeLimit ends the search, by the measured time of its probes.
	TimeLimit time.Duration `yaml:"time_limit" validate:"gt=0"`
}

// A Percent is written as 5%, and is a share of 1.
type Percent float64

func (p *Percent) bind(b *binder, n *yaml.Node, path string) {
	v, err := metrics.ParsePercent(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode || v <= 0 || v >= 1 {
		b.fail(n, path, "must be a percentage above 0% and below 100%, not "+describe(n), "such as 5%")
		return
	}
	*p = Percent(v)
}

func (*Percent) shape(string) Shape {
	return Shape{Kind: Text, Pattern: `^\s*\+?(` + decimal + `)\s*%\s*$`}
}

// SearchLimits are limits in the order of the file.
type SearchLimits []metrics.Limit

const limitExample = "such as time_to_first_token.p95: 500, error_rate: 0.01 or goodput_fraction: 0.99"

func (s *SearchLimits) bind(b *binder, n *yaml.Node, path string) {
	if !b.isMapping(n, path) {
		return
	}
	for key, value := range pairs(n) {
		at := join(path, key.Value)
		b.keys[at], b.values[at] = key, value
		bound, ok := number(value)
		if !ok {
			b.fail(value, at, "must be a number, not "+describe(value), limitExample)
			continue
		}
		l, err := metrics.ParseLimit(key.Value, bound)
		if err != nil {
			b.fail(key, at, err.Error(), limitExample)
			continue
		}
		if slices.ContainsFunc(*s, func(other metrics.Limit) bool { return other.Name == l.Name }) {
			b.fail(key, at, l.Name+" stands twice", "one limit for each figure")
			continue
		}
		*s = append(*s, l)
	}
}

func (*SearchLimits) shape(string) Shape {
	return Shape{
		Kind: Map, KeyPattern: `^\s*(` + metrics.ErrorRate + `|` + metrics.GoodShare + `|` + figurePattern(requestTags(), searchStatistics()) + `)\s*$`,
		Item: &Shape{Kind: Number, Strict: true, Least: new(float64), OverLeast: true},
	}
}

// searchStatistics are those that can be limited.
func searchStatistics() []string {
	return slices.DeleteFunc(metrics.FigureStatistics(), func(s string) bool { return s == "min" || s == "max" })
}

// Defaults of a search.
const (
	searchFrom       = 1
	searchPrecision  = 0.05
	searchConfidence = 0.95
	// searchErrors is the limit of failed requests where none is written: what
	// fails is not borne, however quick the rest is.
	searchErrors = 0.01
)

// Asked reports whether there is a search.
func (s *Search) Asked() bool { return s.Over != "" }

// Whole reports whether loads are whole numbers.
func (s *Search) Whole() bool { return !searchKeys[s.Over].real }

// A Tier is a set of limits that one capacity is sought for.
type Tier struct {
	Name   string // empty without tiers
	Limits []metrics.Limit
}

// AllTiers returns the tiers by name; one without a name where there are none. A
// tier's own limit goes before that of all.
func (s *Search) AllTiers() []Tier {
	if len(s.Tiers) == 0 {
		return []Tier{{Limits: withErrors(s.SLOs)}}
	}
	var tiers []Tier
	for _, name := range slices.Sorted(maps.Keys(s.Tiers)) {
		limits := slices.Clone([]metrics.Limit(s.Tiers[name]))
		for _, l := range s.SLOs {
			if !slices.ContainsFunc(limits, func(own metrics.Limit) bool { return own.Name == l.Name }) {
				limits = append(limits, l)
			}
		}
		tiers = append(tiers, Tier{name, withErrors(limits)})
	}
	return tiers
}

func withErrors(limits []metrics.Limit) []metrics.Limit {
	if slices.ContainsFunc(limits, func(l metrics.Limit) bool { return l.Name == metrics.ErrorRate }) {
		return limits
	}
	return append(slices.Clone(limits), metrics.Limit{Name: metrics.ErrorRate, Bound: searchErrors})
}

// LimitsText are the limits of a search in words.
func (s *Search) LimitsText() string {
	var parts []string
	for _, tier := range s.AllTiers() {
		var limits []string
		for _, l := range tier.Limits {
			limits = append(limits, l.String())
		}
		text := strings.Join(limits, ", ")
		if tier.Name != "" {
			text = tier.Name + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// sought are the limits that a probe is held against: each figure once.
func (s *Search) sought() []metrics.Limit {
	var all []metrics.Limit
	for _, tier := range s.AllTiers() {
		for _, l := range tier.Limits {
			if !slices.ContainsFunc(all, func(other metrics.Limit) bool { return other.Name == l.Name }) {
				all = append(all, l)
			}
		}
	}
	return all
}

// checkSearch reports a search that cannot be made.
func (b *binder) checkSearch(batch *Batch) {
	s := &batch.Search
	if b.values["search"] == nil {
		return
	}
	b.checkOver(s)
	b.checkOpenLoop(batch)
	if !b.sound("search.over") {
		b.instead[base("concurrency")] = true // which the search would give
	}
	if s.To > 0 && s.To < s.From {
		b.failKey("search.to", fmt.Sprintf("%g is below from: %g", s.To, s.From), "search upward")
	}
	if s.Whole() {
		for key, v := range map[string]float64{"search.from": s.From, "search.to": s.To} {
			if b.sound(key) && v != math.Trunc(v) {
				b.failKey(key, fmt.Sprintf("must be a whole number for %s, not %g", s.Over, v), "")
			}
		}
	}
	if s.Confidence < 0.5 {
		b.failKey("search.confidence", "must be at least 50%", "95% is usual")
	}
	if s.Asked() && len(s.SLOs) == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(s.Tiers)), func(l SearchLimits) bool { return len(l) > 0 }) && !b.faultBelow("search.") {
		b.failKey("search.slos", "is missing: a capacity is that within limits", "add slos: {time_to_first_token.p95: 500}")
	}
	for _, key := range []string{"repeats", "repeat_until", "stop_when"} {
		if b.values[key] != nil {
			b.failKey(key, "cannot be combined with search", "a search makes as many runs as its answer needs")
		}
	}
	if batch.Sweeps.has(s.Over) {
		b.failKey("sweeps."+s.Over, "is what the search varies", "remove it from sweeps, or the search")
	}
	for _, tier := range s.AllTiers() {
		for _, l := range tier.Limits {
			if l.Name == metrics.GoodShare && len(batch.Base.SLOs) == 0 && !batch.Sweeps.hasBelow("slos.") {
				b.failKey("search.slos", "goodput_fraction needs slos in base_config: what a good request keeps", "add base_config.slos, such as {time_to_first_token: 500}")
				return
			}
		}
	}
}

func (b *binder) faultBelow(prefix string) bool {
	for path := range b.unsound {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func (s Sweeps) hasBelow(prefix string) bool {
	return slices.ContainsFunc(s, func(sweep Sweep) bool { return strings.HasPrefix(sweep.Key, prefix) })
}

// checkProbe reports a cell that cannot be a probe's.
func (b *binder) checkProbe(s *Search, c *Config) {
	if !s.Asked() {
		return
	}
	for key, why := range map[string]string{
		"request_count":  "a probe ends when its answer is sure, by time",
		"fixed_schedule": "the times of a trace are no load to vary",
		"budgets":        "a probe above the capacity misses them; say them as search.slos",
		"require_slos":   "a probe above the capacity misses them; say goodput_fraction in search.slos",
		"max_error_rate": "a probe above the capacity may fail at more, and is to say so; say error_rate in search.slos",
	} {
		off := key == "require_slos" && !c.RequireSLOs || key == "fixed_schedule" && !c.FixedSchedule || key == "max_error_rate" && !c.MaxErrorRate.On
		if b.written(key) && !off {
			b.contradict(key, "cannot be combined with search", why)
		}
	}
	b.checkArrivals(s, c)
	if b.absent("benchmark_duration") && b.written("request_count") {
		b.failKey(base("benchmark_duration"), "is missing", "add benchmark_duration: 60 (seconds): the first look at a probe; the last comes after four times that")
	}
	if !c.Streaming && b.judged("streaming") {
		for _, l := range s.sought() {
			if tag, _, _ := strings.Cut(l.Name, "."); slices.Contains(streamedMetrics, tag) {
				b.failKey("search.slos", tag+" can only be measured on streamed answers", "write streaming: true")
			}
		}
	}
	if slices.Contains(userKeys, s.Over) && b.written("request_rate") {
		b.contradict("request_rate", "cannot be combined with a search over "+s.Over, "search over request_rate")
	}
}
