package sink

import (
	"strconv"

	"loadgen/internal/outside"
	"loadgen/results"
	"loadgen/sweep"
)

// mlflowSearch is the search for a cell as a run of its own: one set of probes serves
// all its tiers, whose numbers stand side by side as capacity.TIER.
func mlflowSearch(b *Batch, c *results.Capacity) *mlflowEntry {
	name := "capacity"
	if subject := c.Subject(&results.CapacityTier{}); subject != "" {
		name += " " + subject
	}
	first := b.first(c)
	e := newEntry(absolute(b.Dir)+"\x00"+name, outside.Line(name), b.Dir)
	e.from, e.to = b.span(c)
	e.status = mlflowFinished
	e.settings(llmdArgs(first))
	for _, v := range c.Cell.Values {
		e.settings(map[string]any{v.Key: v.Value})
	}
	delete(e.params, c.Over) // which is that of one probe
	e.params["search.over"], e.params["search.unit"] = c.Over, c.Unit
	e.params["search.confidence"] = strconv.FormatFloat(c.Confidence, 'g', -1, 64)
	if l := first.Meta.Label; l != "" {
		e.tags["label"] = l
	}
	for i := range c.Tiers {
		t := &c.Tiers[i]
		of := func(name string) string {
			if t.Name == "" {
				return name
			}
			return name + "." + t.Name
		}
		for name, v := range t.Numbers() {
			e.metrics[of(name)] = v
		}
		e.metrics[of("capacity_certified")] = oneIf(t.Certified)
		e.params[of("search.limits")] = cutText(outside.Line(limitsText(t)), 500)
		e.tags[of("status")], e.tags[of("certified")], e.tags[of("answer")] = t.Status, strconv.FormatBool(t.Certified), outside.Line(t.Answer)
		switch {
		case t.Status == sweep.CapacityOpen && c.Stopped == "interrupted":
			e.status = mlflowKilled
		case t.Status == sweep.CapacityOpen:
			e.status = mlflowFailed
		}
	}
	return e
}
