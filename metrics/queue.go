package metrics

import (
	"cmp"
	"math"
	"slices"
	"time"

	"loadgen/stats"
)

// A Queue is what a probe tells of requests that wait for each other.
type Queue struct {
	// InFlight is how many requests were in flight at once, in the mean; 0 where nothing
	// was seen.
	InFlight float64
	// Grows: those that were sent later took longer, for sure.
	Grows bool
}

// alone is below how many requests in flight, in the mean, hardly one waits for another.
const alone = 1

// Alone reports whether hardly one request waits for another, for sure.
func (q Queue) Alone() bool { return q.InFlight > 0 && q.InFlight < alone }

// Queue returns what the requests of a search's run that are over tell of its queue. One
// that is not over though a later one is counts as in flight throughout, since nobody
// knows how slow it will be.
func (c *Collector) Queue() Queue {
	c.mu.Lock()
	all := slices.AppendSeq(make([]seen, 0, c.evidence.seen.len()), c.evidence.seen.all())
	c.mu.Unlock()
	overtaken := -len(all)
	for _, s := range all {
		overtaken = max(overtaken, s.index+1-len(all))
	}
	all = slices.DeleteFunc(all, func(s seen) bool { return s.ramp || s.state == seenFailed })
	slices.SortFunc(all, func(a, b seen) int { return cmp.Compare(a.sent, b.sent) })
	if len(all) == 0 {
		return Queue{}
	}
	took := make([]float64, len(all))
	sum, ended := 0.0, time.Duration(0)
	for i, s := range all {
		took[i], ended = (s.ended - s.sent).Seconds(), max(ended, s.ended)
		sum += took[i]
	}
	span := (ended - all[0].sent).Seconds()
	if span <= 0 {
		return Queue{}
	}
	return Queue{InFlight: sum/span + float64(max(0, overtaken)), Grows: grows(took[len(took)/4:])}
}

// growthBatches are the batches of neighbours by which two halves are compared.
const growthBatches = 5

// grows reports whether times in order of issue are longer in the second half than in
// the first, by their batch means and for sure.
func grows(took []float64) bool {
	if len(took) < 4*growthBatches {
		return false
	}
	var mean, variance [2]float64
	for half := range mean {
		of := took[len(took)*half/2 : len(took)*(half+1)/2]
		batch := make([]float64, growthBatches)
		for i := range batch {
			batch[i] = Mean(of[len(of)*i/growthBatches : len(of)*(i+1)/growthBatches])
		}
		sd := SampleStdDev(batch)
		mean[half], variance[half] = Mean(batch), sd*sd/growthBatches
	}
	return mean[1]-mean[0] > stats.StudentQuantile(growthSure, 2*(growthBatches-1))*math.Sqrt(variance[0]+variance[1]) && mean[1] > 1.1*mean[0]
}

// growthSure is the confidence, to one side, with which a queue grows.
const growthSure = 0.99
