package mockllm

import (
	"slices"
	"strconv"
	"time"
)

// A histogram counts durations below upper bounds in seconds, as Prometheus
// does.
type histogram struct {
	bounds []float64
	counts []int // not cumulated; one more than bounds
	sum    float64
}

// The bounds are vLLM's.
var (
	firstTokenBounds = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	gapBounds        = []float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	e2eBounds        = []float64{.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

func (h *histogram) observe(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]int, len(h.bounds)+1)
	}
	at, _ := slices.BinarySearch(h.bounds, d.Seconds())
	h.counts[at]++
	h.sum += d.Seconds()
}

// appendTo writes the histogram in Prometheus's text form.
func (h *histogram) appendTo(b []byte, name, help, label string) []byte {
	b = appendHelp(b, name, "histogram", help)
	n := 0
	for i := range len(h.bounds) + 1 {
		if h.counts != nil {
			n += h.counts[i]
		}
		le := "+Inf"
		if i < len(h.bounds) {
			le = strconv.FormatFloat(h.bounds[i], 'g', -1, 64)
		}
		b = appendSample(b, name+"_bucket", label+`,le="`+le+`"`, float64(n))
	}
	b = appendSample(b, name+"_sum", label, h.sum)
	return appendSample(b, name+"_count", label, float64(n))
}
