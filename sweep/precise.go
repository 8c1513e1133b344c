package sweep

import (
	"fmt"

	"loadgen/metrics"
	"loadgen/stats"
)

// A RepeatUntil asks for repeats of a cell until a figure of it is known well
// enough. Repeats is how many there are at least.
type RepeatUntil struct {
	// Metric is a metric's tag, with a statistic where it has a distribution.
	Metric string `yaml:"metric" need:"request_latency.p95" validate:"figure"`
	// HalfWidth is that of the 95 % interval, as a share of the mean.
	HalfWidth float64 `yaml:"half_width" need:"0.05" validate:"gt=0,lt=1"`
	// Max is how many repeats there are at most.
	Max int `yaml:"max" validate:"gte=2,lte=100"`
}

// Confidence is that of all intervals over the repeats of a cell.
const Confidence = 0.95

// mostRepeats is the default of repeat_until.max.
const mostRepeats = 20

// leastRepeats is how many runs an interval that ends the repeats rests on: two
// runs are close to each other by chance too often.
const leastRepeats = 3

// RepeatsOf returns how many runs each cell of a batch without a search has at
// least and at most.
func (b *Batch) RepeatsOf() (least, most int) {
	if b.Search.Asked() || b.RepeatUntil.Metric == "" {
		return b.Repeats, b.Repeats
	}
	return max(b.Repeats, min(leastRepeats, b.RepeatUntil.Max)), b.RepeatUntil.Max
}

// checkRepeats reports repeats that cannot be made.
func (b *binder) checkRepeats(batch *Batch) {
	if u := batch.RepeatUntil; u.Metric != "" && b.sound("repeat_until.max") && u.Max < batch.Repeats {
		b.failKey("repeat_until.max", fmt.Sprintf("is below repeats: %d", batch.Repeats), "repeats is how many runs a cell has at least")
	}
	if batch.Repeats == 1 && batch.RepeatUntil.Metric == "" {
		for _, key := range []string{"repeat_order", "vary_seed"} {
			if b.sound(key) {
				batch.Notes = append(batch.Notes, key+" has no effect: each cell has one run. Add repeats")
			}
		}
	}
}

// preciseEnough makes the repeats of each cell that its figure needs.
type preciseEnough struct{ *Batch }

func (p preciseEnough) Next(done []*Run) (Ask, bool) {
	over, precise := placesOf(done), p.precise(done)
	for _, ask := range p.Runs() {
		if !over[ask.place()] && !(precise[ask.Cell.Index] && ask.Number > p.Repeats) {
			return ask, true
		}
	}
	return Ask{}, false
}

// Left counts one more run for each cell that is not precise yet.
func (p preciseEnough) Left(done []*Run) (int, bool) {
	over, precise := placesOf(done), p.precise(done)
	counted := map[int]bool{}
	left := 0
	for _, ask := range p.Runs() {
		cell := ask.Cell.Index
		if over[ask.place()] || precise[cell] && ask.Number > p.Repeats || counted[cell] && ask.Number > p.Repeats {
			continue
		}
		counted[cell] = true
		left++
	}
	return left, left == 0
}

// precise returns the cells whose figure is known well enough by the runs that
// are over. Runs that failed or are INVALID count for nothing.
func (p preciseEnough) precise(done []*Run) map[int]bool {
	values := map[int][]float64{}
	for _, run := range done {
		if run.Err != nil || run.Skip != "" || run.Summary == nil || run.Summary.Validity.Verdict == metrics.Invalid {
			continue
		}
		if v, _, ok := figure(run.Summary, p.RepeatUntil.Metric); ok {
			values[run.Cell.Index] = append(values[run.Cell.Index], v)
		}
	}
	precise := map[int]bool{}
	for cell, v := range values {
		known := metrics.Repeated{Interval: stats.MeanInterval(v, Confidence)}
		precise[cell] = len(v) >= leastRepeats && known.Certain(p.RepeatUntil.HalfWidth)
	}
	return precise
}
