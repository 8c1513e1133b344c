package observe

import (
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// A native histogram has buckets that grow by a factor of 2^(2^-schema): bucket i
// ends at that to the power of i.
type native struct {
	schema  int32
	zero    float64 // observations up to zeroEnd
	zeroEnd float64
	buckets []nativeBucket // positive ones that hold something, ascending; times have no others
}

type nativeBucket struct {
	index int32
	count float64
}

// The schemas of exponential buckets, and how many buckets one may have.
const (
	leastSchema = -4
	mostSchema  = 8
	mostNative  = 1000
)

// nativeOf reads the buckets of a histogram; nil where they are of another kind,
// or too many.
func nativeOf(m *dto.Histogram) *native {
	n := &native{schema: m.GetSchema(), zero: float64(m.GetZeroCount()), zeroEnd: m.GetZeroThreshold()}
	if n.zero == 0 {
		n.zero = m.GetZeroCountFloat()
	}
	if n.schema < leastSchema || n.schema > mostSchema || !usable(n.zero) || len(m.GetPositiveDelta())+len(m.GetPositiveCount()) > mostNative {
		return nil
	}
	deltas, counts := m.GetPositiveDelta(), m.GetPositiveCount()
	index, at, running := int32(0), 0, int64(0)
	for _, span := range m.GetPositiveSpan() {
		index += span.GetOffset()
		for range min(span.GetLength(), mostNative) {
			count := 0.0
			switch {
			case at < len(deltas):
				running += deltas[at]
				count = float64(running)
			case at < len(counts):
				count = counts[at]
			default:
				return n
			}
			at++
			if count > 0 && usable(count) {
				n.buckets = append(n.buckets, nativeBucket{index, count})
			}
			index++
		}
	}
	slices.SortFunc(n.buckets, func(a, b nativeBucket) int { return int(a.index) - int(b.index) })
	return n
}

// bound is the upper end of a bucket.
func (n *native) bound(index int32) float64 {
	return math.Exp2(float64(index) * math.Exp2(-float64(n.schema)))
}

// coarser returns the histogram in the buckets of a lower schema.
func (n *native) coarser(schema int32) *native {
	out := &native{schema: schema, zero: n.zero, zeroEnd: n.zeroEnd}
	shift := n.schema - schema
	for _, b := range n.buckets {
		index := ((b.index - 1) >> shift) + 1
		if last := len(out.buckets) - 1; last >= 0 && out.buckets[last].index == index {
			out.buckets[last].count += b.count
			continue
		}
		out.buckets = append(out.buckets, nativeBucket{index, b.count})
	}
	return out
}

// since returns what was added after an earlier state, as classic buckets.
func (n *native) since(before *native) (bounds, counts []float64) {
	if before == nil {
		before = &native{schema: n.schema}
	}
	schema := min(n.schema, before.schema)
	n, before = n.coarser(schema), before.coarser(schema)
	was := map[int32]float64{}
	for _, b := range before.buckets {
		was[b.index] = b.count
	}
	total := max(n.zero-before.zero, 0)
	bounds, counts = append(bounds, n.zeroEnd), append(counts, total)
	for i, b := range n.buckets {
		if lower := n.bound(b.index - 1); i == 0 || b.index > n.buckets[i-1].index+1 {
			if lower > bounds[len(bounds)-1] {
				bounds, counts = append(bounds, lower), append(counts, total)
			}
		}
		total += max(b.count-was[b.index], 0)
		bounds, counts = append(bounds, n.bound(b.index)), append(counts, total)
	}
	return append(bounds, math.Inf(1)), append(counts, total)
}
