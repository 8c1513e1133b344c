package results

import (
	"loadgen/metrics"
	"loadgen/observe"
)

// A scrapes says how an endpoint was read.
type scrapes struct {
	Fetches   int     `json:"total_fetches"`
	First     int64   `json:"first_fetch_ns"`
	Last      int64   `json:"last_fetch_ns"`
	Latency   float64 `json:"avg_fetch_latency_ms"`
	Updates   int     `json:"unique_updates"`
	FirstNew  int64   `json:"first_update_ns"` // of what differed from the scrape before
	LastNew   int64   `json:"last_update_ns"`
	Duration  float64 `json:"duration_seconds"` // between these two
	Every     float64 `json:"avg_update_interval_ms"`
	Middle    float64 `json:"median_update_interval_ms,omitempty"`
	Failed    int     `json:"failed_fetches"` // ours, as is what follows
	Kept      int     `json:"kept_samples"`
	Step      int     `json:"kept_every"`
	CPU       float64 `json:"cpu_seconds"`
	Bytes     int64   `json:"bytes"`
	Gaps      []gap   `json:"gaps,omitempty"`
	GapsMore  int     `json:"further_gaps,omitempty"`
	Odd       int     `json:"odd_samples,omitempty"`
	GivenUpAs string  `json:"given_up,omitempty"`
}

type gap struct {
	From   int64  `json:"from_ns"`
	To     int64  `json:"to_ns"`
	Failed int    `json:"failed"`
	Why    string `json:"reason"`
}

func scrapesOf(rec *observe.Recording, e *observe.Endpoint) scrapes {
	s := scrapes{
		Fetches: e.Fetches, Failed: e.Failed, Updates: e.Changed, Kept: len(e.Points), Step: max(e.Step, 1),
		CPU: e.CPU.Seconds(), Bytes: e.Bytes, GapsMore: e.Untold, Odd: e.Odd, GivenUpAs: e.Off,
	}
	for _, g := range e.Gaps {
		s.Gaps = append(s.Gaps, gap{at(rec, g.From), at(rec, g.To), g.N, g.Why})
	}
	n := len(e.Points)
	if n == 0 {
		return s
	}
	s.First, s.Last = at(rec, e.Points[0].At), at(rec, e.Points[n-1].At)
	for _, p := range e.Points {
		s.Latency += float64(p.Took) / 1e6 / float64(n)
	}
	s.updates(rec, e)
	return s
}

// updates says when what was read changed.
func (s *scrapes) updates(rec *observe.Recording, e *observe.Endpoint) {
	var between []float64 // ms
	for _, p := range e.Points {
		if !p.Changed {
			continue
		}
		now := at(rec, p.At)
		if s.FirstNew == 0 {
			s.FirstNew = now
		} else {
			between = append(between, float64(now-s.LastNew)/1e6)
		}
		s.LastNew = now
	}
	s.Duration = float64(s.LastNew-s.FirstNew) / 1e9
	if len(between) > 0 {
		s.Every, s.Middle = metrics.Mean(between), metrics.Percentile(metrics.Sorted(between), 50)
	}
}
