package metrics

import (
	"cmp"
	"math"
	"slices"
	"time"

	"loadgen"
)

// tracked are the times that a run has a series of.
var tracked = [...]ID{TTFT, ITL, RequestLatency}

// A track follows these times over the time of a run, by when the requests were
// sent, in slices of the same grid as a series. It also keeps some of the
// requests as they were: every n-th that ended, where n doubles whenever they
// become too many.
type track struct {
	width  time.Duration
	slices [][len(tracked)]sketch

	seen, stride int
	kept         []Sampled
}

// maxSampled is how many requests are kept as they were.
const maxSampled = 2000

func newTrack() track { return track{width: firstWidth, stride: 1} }

func (t *track) add(r *loadgen.Record, m *Measurement) {
	t.keep(r, m)
	if !r.OK() {
		return
	}
	at := t.at(r.Sent)
	for i, id := range tracked {
		if v, ok := m.Value(id); ok {
			at[i].add(v)
		}
	}
}

// at returns the slice of a time and makes room for it.
func (t *track) at(sent time.Duration) *[len(tracked)]sketch {
	i := int(max(sent, 0) / t.width)
	for i >= maxBins {
		t.coarsen()
		i = int(max(sent, 0) / t.width)
	}
	for len(t.slices) <= i {
		t.slices = append(t.slices, [len(tracked)]sketch{})
	}
	return &t.slices[i]
}

func (t *track) coarsen() {
	t.slices = joined(t.slices, 2)
	t.width *= 2
}

// joined makes one slice of each so many.
func joined(of [][len(tracked)]sketch, group int) [][len(tracked)]sketch {
	n := (len(of) + group - 1) / group
	for i := range n {
		into := of[i*group]
		for k := i*group + 1; k < min((i+1)*group, len(of)); k++ {
			for j := range into {
				into[j].join(&of[k][j])
			}
		}
		of[i] = into
	}
	clear(of[n:])
	return of[:n]
}

// grouped returns the slices, so many of them joined to one.
func (t *track) grouped(group int) [][len(tracked)]sketch {
	return joined(slices.Clone(t.slices), max(group, 1))
}

// sampled returns the requests that were kept, in order.
func (t *track) sampled() []Sampled {
	return slices.SortedFunc(slices.Values(t.kept), func(a, b Sampled) int { return cmp.Compare(a.Index, b.Index) })
}

// A Sampled is a request as it was. Times are in milliseconds, NaN where the
// request has none.
type Sampled struct {
	Index              int
	Sent               float64 // since the run's epoch
	Flight             float64 // until it was over, whatever became of it
	TTFT, ITL, Latency float64
	Input, Output      float64 // tokens
	Failed             bool    // or cancelled
}

func (t *track) keep(r *loadgen.Record, m *Measurement) {
	t.seen++
	if (t.seen-1)%t.stride != 0 {
		return
	}
	if len(t.kept) == maxSampled { // this one is the first that the doubled stride takes, too
		for i := range maxSampled / 2 {
			t.kept[i] = t.kept[2*i]
		}
		t.kept = t.kept[:maxSampled/2]
		t.stride *= 2
	}
	value := func(id ID) float64 {
		if v, ok := m.Value(id); ok {
			return v
		}
		return math.NaN()
	}
	input := value(ISL)
	if !r.OK() {
		input = value(ErrorISL)
	}
	t.kept = append(t.kept, Sampled{
		Index: r.Index, Sent: millis(r.Sent), Flight: millis(max(r.Ended-r.Sent, 0)), Failed: !r.OK(),
		TTFT: value(TTFT), ITL: value(ITL), Latency: value(RequestLatency), Input: input, Output: value(OSL),
	})
}
