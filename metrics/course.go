package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// MaxPoints is how many points a series has at most.
const MaxPoints = 2000

// A Course is how a run went: what happened in each slice of its time, how its
// times and lengths are distributed, and some of its requests as they were. It
// is what pictures of a run are drawn from, in bounded memory and size however
// long the run was. A value that does not apply is NaN, null in JSON.
type Course struct {
	// Width is that of a slice in seconds: the i-th one begins i widths after
	// the run's epoch.
	Width float64 `json:"width_sec"`
	// End is when the last request ended, within the last slice.
	End float64 `json:"end_sec"`
	// Sent counts the requests sent in a slice; OK, Failed and Cancelled those
	// that ended in it.
	Sent      []int `json:"sent"`
	OK        []int `json:"ok"`
	Failed    []int `json:"failed"`
	Cancelled []int `json:"cancelled,omitempty"`
	// InFlight is the mean number in flight, those included that the warm-up
	// handed over.
	InFlight Numbers `json:"in_flight"`
	// Tokens are the output tokens that came in a slice; nil where they were not
	// counted.
	Tokens Numbers `json:"output_tokens,omitempty"`
	// Times are those of the successful requests sent in a slice, by tag.
	Times map[string]*TimeCourse `json:"times"`

	Distributions map[string]*Shape `json:"distributions"`
	// Requests are every Stride-th that ended, in the order of their indices.
	Stride   int       `json:"request_stride"`
	Requests []Sampled `json:"requests"`
}

// A TimeCourse is a time in milliseconds in each slice: percentiles within
// 1.6 %, mean and maximum exact.
type TimeCourse struct {
	Count []int   `json:"count"`
	Avg   Numbers `json:"avg"`
	P50   Numbers `json:"p50"`
	P90   Numbers `json:"p90"`
	P99   Numbers `json:"p99"`
	Max   Numbers `json:"max"`
}

// Numbers are written with six digits, and as null where there is none.
type Numbers []float64

// MarshalJSON writes NaN as null.
func (n Numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendShort(b, v)
	}
	return append(b, ']'), nil
}

func appendShort(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', 6, 64)
}

// UnmarshalJSON reads null as NaN.
func (n *Numbers) UnmarshalJSON(data []byte) error {
	var values []*float64
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	*n = make(Numbers, len(values))
	for i, v := range values {
		if (*n)[i] = math.NaN(); v != nil {
			(*n)[i] = *v
		}
	}
	return nil
}

// MarshalJSON writes a request as one list, in the order of the fields, to the
// microsecond.
func (s Sampled) MarshalJSON() ([]byte, error) {
	b := strconv.AppendInt([]byte{'['}, int64(s.Index), 10)
	for _, v := range [...]float64{s.Sent, s.Flight, s.TTFT, s.ITL, s.Latency, s.Input, s.Output} {
		b = append(b, ',')
		if math.IsNaN(v) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, math.Round(v*1e3)/1e3, 'f', -1, 64)
	}
	if s.Failed {
		return append(b, ",1]"...), nil
	}
	return append(b, ",0]"...), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Sampled) UnmarshalJSON(data []byte) error {
	var n Numbers
	if err := json.Unmarshal(data, &n); err != nil {
		return err
	}
	const fields = 9
	n = append(n, make(Numbers, max(0, fields-len(n)))...)
	*s = Sampled{Index: int(n[0]), Sent: n[1], Flight: n[2], TTFT: n[3], ITL: n[4], Latency: n[5], Input: n[6], Output: n[7], Failed: n[8] == 1}
	return nil
}

// Check reports what does not fit together in a course that was read back: a
// file may come from anywhere.
func (c *Course) Check() error {
	n := len(c.Sent)
	lengths := []int{len(c.OK), len(c.Failed), len(c.InFlight)}
	if c.Tokens != nil {
		lengths = append(lengths, len(c.Tokens))
	}
	if c.Cancelled != nil {
		lengths = append(lengths, len(c.Cancelled))
	}
	for _, t := range c.Times {
		if t == nil {
			return errors.New("a time without values")
		}
		lengths = append(lengths, len(t.Count), len(t.Avg), len(t.P50), len(t.P90), len(t.P99), len(t.Max))
	}
	for _, l := range lengths {
		if l != n {
			return fmt.Errorf("%d slices here and %d there", n, l)
		}
	}
	for tag, s := range c.Distributions {
		if s == nil || len(s.Quantiles) != len(ShapeLevels()) || !(s.Width > 0) {
			return fmt.Errorf("the distribution of %q is not whole", tag)
		}
	}
	if n > 0 && !(c.Width > 0) {
		return errors.New("slices without a width")
	}
	return nil
}

// fewestPoints are drawn of a short run, however little happens in each slice.
const (
	fewestPoints    = 20
	requestsOfPoint = 5
)

// Course returns how the run went so far. A slice is a power of two times 10 ms
// wide: as narrow as holds five requests in the mean, within 20 and MaxPoints
// slices.
func (c *Collector) Course() *Course {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.profiling
	out := &Course{Times: map[string]*TimeCourse{}, Distributions: t.shapes(), Stride: t.track.stride, Requests: t.track.sampled()}
	if t.issued() == 0 {
		return out
	}
	t.align()
	most := min(max(t.issued()/requestsOfPoint, fewestPoints), MaxPoints)
	group := 1
	for (len(t.series.bins)+group-1)/group > most {
		group *= 2
	}
	width := time.Duration(group) * t.series.width
	out.Width, out.End = width.Seconds(), max(t.lastEnd, 0).Seconds()
	out.count(t, group)
	out.follow(&t.track, width)
	return out
}

// count fills in what the series knows, so many of its bins to a slice.
func (o *Course) count(t *tally, group int) {
	bins, level, width := t.series.bins, t.level(), t.series.width.Seconds()
	tokens := t.dists[OSL].count() > 0
	cancelled := t.cancelled > 0
	for from := 0; from < len(bins); from += group {
		var sent, ok, failed, gone int
		var flight, output float64
		for i := from; i < min(from+group, len(bins)); i++ {
			b := &bins[i]
			sent, ok, failed, gone = sent+b.sent, ok+b.ok, failed+b.ended-b.ok-b.cancelled, gone+b.cancelled
			flight += level[i]
			output += b.tokens
			if i < len(t.handed.bins) {
				output += t.handed.bins[i].tokens
			}
		}
		o.Sent, o.OK, o.Failed = append(o.Sent, sent), append(o.OK, ok), append(o.Failed, failed)
		// The last slice is as long as the run.
		if lasted := min(o.Width, o.End-float64(from)*width); lasted > 0 {
			flight *= width / lasted
		} else {
			flight = 0
		}
		o.InFlight = append(o.InFlight, flight)
		if tokens {
			o.Tokens = append(o.Tokens, output)
		}
		if cancelled {
			o.Cancelled = append(o.Cancelled, gone)
		}
	}
}

// follow fills in the times.
func (o *Course) follow(t *track, width time.Duration) {
	for i, id := range tracked {
		slices := t.grouped(int(width / t.width))
		course := &TimeCourse{}
		any := false
		for k := range o.Sent {
			s := sketch{}
			if k < len(slices) {
				s = slices[k][i]
			}
			any = any || s.count > 0
			avg, largest := math.NaN(), math.NaN()
			if s.count > 0 {
				avg, largest = s.sum/float64(s.count), s.max
			}
			course.Count = append(course.Count, s.count)
			course.Avg, course.Max = append(course.Avg, avg), append(course.Max, largest)
			course.P50 = append(course.P50, s.percentile(50))
			course.P90 = append(course.P90, s.percentile(90))
			course.P99 = append(course.P99, s.percentile(99))
		}
		if any {
			o.Times[tagOf(id)] = course
		}
	}
}

func tagOf(id ID) string {
	for _, d := range definitions {
		if d.Kind == PerRequest && d.ID == id {
			return d.Tag
		}
	}
	return ""
}
