package client

import (
	"sync/atomic"
	"time"
)

// A clock turns the kernel's receive times, which are of the wall clock, into
// durations since a record's start, which are monotonic. It knows the offset
// between the two clocks, which only a step of the wall clock changes.
//
// Go's time.Now holds both, but reads one after the other: a thread that is
// held in between, as happens on a busy machine, has readings that are apart by
// as much. So a reading that disagrees with the offset is no step by itself;
// the clocks are then read again between two looks at the monotonic one. What
// the kernel stamped before the last step seen is not trusted.
type clock struct {
	base    time.Time
	offset  atomic.Int64 // wall − monotonic, ns, against base
	checked atomic.Int64 // monotonic ns since base at which offset was last confirmed
	stepped atomic.Int64 // monotonic ns since base of the last step seen
	count   atomic.Int64
	look    func() (offset, mono int64, ok bool)
}

const (
	// agreeing readings are no further apart than two looks at a clock are.
	agreeing = int64(20 * time.Microsecond)
	// A clock that is being slewed drifts by at most 500 ppm, a step of a
	// millisecond is what chrony and ntpd would do at once.
	slewPerSecond = int64(time.Millisecond)
	stepMin       = int64(time.Millisecond)
	confirmAfter  = int64(100 * time.Millisecond)
)

func newClock() *clock {
	c := &clock{base: time.Now()}
	c.look = c.bracketed
	c.stepped.Store(-1)
	if offset, _, ok := c.look(); ok {
		c.offset.Store(offset)
	}
	return c
}

func (c *clock) steps() int { return int(c.count.Load()) }

// age returns how long before now the kernel stamped a segment with wall time
// stamp (unix ns), 0 for one that is younger than the readings are exact. ok is
// false where that cannot be trusted.
func (c *clock) age(now time.Time, stamp int64) (age time.Duration, ok bool) {
	base := c.base.UnixNano()
	return c.ageAt(now.UnixNano()-base, int64(now.Sub(c.base)), stamp-base)
}

// ageAt is age on plain numbers, all ns since base: now by the wall clock, now
// by the monotonic clock, the stamp by the wall clock.
func (c *clock) ageAt(wall, mono, stamp int64) (time.Duration, bool) {
	offset, ok := c.offsetBy(wall-mono, mono)
	age := mono + offset - stamp
	if age < 0 && age >= -agreeing {
		age = 0
	}
	return time.Duration(age), ok && age >= 0 && mono-age > c.stepped.Load()
}

// offsetBy returns the offset between the clocks, where a reading at mono has
// seen what may be one. ok is false where it could not be made out.
func (c *clock) offsetBy(seen, mono int64) (offset int64, ok bool) {
	known := c.offset.Load()
	since := max(mono-c.checked.Load(), 0)
	if apart(seen, known) <= agreeing {
		if since > confirmAfter {
			c.checked.Store(mono)
		}
		return known, true
	}
	offset, mono, ok = c.look()
	if !ok {
		return known, false
	}
	if apart(offset, known) > stepMin+since*slewPerSecond/int64(time.Second) {
		// Before the new offset is there to be used. One of the readers that
		// see the step counts it.
		c.stepped.Store(mono)
		if c.offset.CompareAndSwap(known, offset) {
			c.count.Add(1)
		}
	} else {
		c.offset.CompareAndSwap(known, offset)
	}
	c.checked.Store(mono)
	return offset, true
}

// bracketed reads the wall clock between two readings of the monotonic one. It
// reports false where this thread was held between them time and again.
func (c *clock) bracketed() (offset, mono int64, ok bool) {
	for range 10 {
		before := int64(time.Since(c.base))
		now := time.Now() // the wall clock first, then the monotonic one
		after := int64(now.Sub(c.base))
		if after-before <= agreeing/2 {
			return now.UnixNano() - c.base.UnixNano() - after, after, true
		}
	}
	return 0, 0, false
}

func apart(a, b int64) int64 { return max(a-b, b-a) }
