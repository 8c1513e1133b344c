package sink

import (
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"loadgen/results"
)

func searchResource(b *Batch, c *results.Capacity, version string) []*commonpb.KeyValue {
	return append(batchResource(b, b.model(c), b.first(c).Meta.Label, c.Cell.Values, version), textAttribute("loadgen.search.over", c.Over))
}

// otlpCapacities are what a search found, gauges at its end with a point for each tier.
// The unit is an annotation, as what loads are counted in has none of its own.
func otlpCapacities(b *Batch, c *results.Capacity) []*metricspb.Metric {
	_, end := b.span(c)
	at := uint64(max(end.UnixNano(), 0))
	var all []*metricspb.Metric
	point := func(name, help, unit string, v float64, attributes []*commonpb.KeyValue) {
		p := &metricspb.NumberDataPoint{TimeUnixNano: at, Attributes: attributes, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: v}}
		for _, m := range all {
			if m.Name == name {
				m.GetGauge().DataPoints = append(m.GetGauge().DataPoints, p)
				return
			}
		}
		all = append(all, &metricspb.Metric{
			Name: name, Description: help, Unit: unit,
			Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{p}}},
		})
	}
	for i := range c.Tiers {
		t := &c.Tiers[i]
		var tier []*commonpb.KeyValue
		if t.Name != "" {
			tier = append(tier, textAttribute("tier", t.Name))
		}
		for name, v := range t.Numbers() {
			point("loadgen."+name, capacityHelps[name], "{"+c.Unit+"}", v, tier)
		}
		point("loadgen.capacity_certified", certifiedHelp, "1", oneIf(t.Certified), tier)
		point("loadgen.capacity_status", statusHelp, "1", 1, append(tier[:len(tier):len(tier)], textAttribute("status", t.Status)))
	}
	return all
}
