package observe

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// A parsed is what a scrape brought.
type parsed struct {
	samples []sample
	odd     int // samples left out: not finite, or a second one of the same series
}

// parse reads the text of a scrape. Samples that are not finite, and second ones
// of a series, are left out and counted; a fault of the format spoils it all,
// since what follows a half histogram would be taken for a change.
func parse(r io.Reader, format expfmt.Format, most int) (p parsed, err error) {
	// What a server sends must not end a night, whatever it does to a parser.
	defer func() {
		if broken := recover(); broken != nil {
			p, err = parsed{}, fmt.Errorf("it breaks the parser: %v", broken)
		}
	}()
	d := expfmt.NewDecoder(r, format)
	seen := map[string]struct{}{}
	var key []byte
	for {
		var f dto.MetricFamily
		switch err := d.Decode(&f); {
		case errors.Is(err, io.EOF):
			return p, nil
		case err != nil:
			return parsed{}, err
		}
		if passed(f.GetName()) {
			continue
		}
		family := familyOf(&f)
		for _, m := range f.GetMetric() {
			s, ok := p.sampleOf(family, m)
			if !ok {
				p.odd++
				continue
			}
			key = s.key(key[:0])
			if _, again := seen[string(key)]; again {
				p.odd++
				continue
			}
			if len(p.samples) == most {
				return parsed{}, fmt.Errorf("more than %d series", most)
			}
			seen[string(key)] = struct{}{}
			p.samples = append(p.samples, s)
		}
	}
}

// passed reports whether a metric only says when a process or a series began.
func passed(name string) bool {
	return strings.HasSuffix(name, "_created") || strings.HasSuffix(name, "_uptime") || strings.Contains(name, "_uptime_")
}

func familyOf(f *dto.MetricFamily) *Family {
	out := &Family{Name: f.GetName(), Help: f.GetHelp(), Unit: f.GetUnit()}
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		out.Kind = Counter
	case dto.MetricType_GAUGE:
		out.Kind = Gauge
	case dto.MetricType_HISTOGRAM:
		out.Kind = Histogram
	case dto.MetricType_SUMMARY:
		out.Kind = Summary
	case dto.MetricType_UNTYPED, dto.MetricType_GAUGE_HISTOGRAM:
	}
	if out.Unit == "" {
		out.Unit = unitOf(out.Name, out.Help)
	}
	return out
}

// sampleOf returns a metric as a sample; false where it has no finite value.
func (p *parsed) sampleOf(f *Family, m *dto.Metric) (sample, bool) {
	s := sample{family: f, labels: make([]Label, 0, len(m.GetLabel()))}
	for _, l := range m.GetLabel() {
		s.labels = append(s.labels, Label{l.GetName(), l.GetValue()})
	}
	slices.SortFunc(s.labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	switch f.Kind {
	case Counter:
		s.value = m.GetCounter().GetValue()
	case Gauge:
		s.value = m.GetGauge().GetValue()
	case Histogram:
		s.hist = histOf(m.GetHistogram())
		return s, s.hist != nil
	case Summary:
		s.hist = &hist{count: float64(m.GetSummary().GetSampleCount()), sum: m.GetSummary().GetSampleSum()}
		return s, usable(s.hist.count) && usable(s.hist.sum)
	case Unknown:
		if m.GetUntyped() == nil {
			return s, false
		}
		s.value = m.GetUntyped().GetValue()
	}
	return s, usable(s.value)
}

// histOf returns the state of a histogram, nil where there is none, a number of it is not
// finite or its buckets do not rise.
func histOf(m *dto.Histogram) *hist {
	if m == nil {
		return nil
	}
	h := &hist{count: float64(m.GetSampleCount()), sum: m.GetSampleSum()}
	if m.GetSampleCount() == 0 && m.GetSampleCountFloat() > 0 {
		h.count = m.GetSampleCountFloat()
	}
	if !usable(h.count) || !usable(h.sum) {
		return nil
	}
	for _, b := range m.GetBucket() {
		n := float64(b.GetCumulativeCount())
		if n == 0 {
			n = max(n, b.GetCumulativeCountFloat())
		}
		h.bounds, h.counts = append(h.bounds, b.GetUpperBound()), append(h.counts, n)
	}
	if !slices.IsSorted(h.bounds) || !slices.IsSorted(h.counts) || slices.ContainsFunc(h.bounds, math.IsNaN) || slices.ContainsFunc(h.counts, func(n float64) bool { return !usable(n) }) {
		return nil
	}
	if n := len(h.bounds); n > 0 && !math.IsInf(h.bounds[n-1], 1) {
		h.bounds, h.counts = append(h.bounds, math.Inf(1)), append(h.counts, max(h.count, h.counts[n-1]))
	}
	if len(h.bounds) <= 1 && m.Schema != nil {
		h.bounds, h.counts = nil, nil
		h.native = nativeOf(m)
	}
	return h
}
