package client

import (
	"sync/atomic"
	"time"
)

// A clock turns the kernel's receive times, which are of the wall clock, into
// durations since a record's start.
//
// Every reading of Go's time.Now holds both clocks at one instant, so the age
// of a segment is known from the wall clock alone, and subtracted on the
// monotonic one. What can spoil it is a step of the wall clock between the
// segment and the reading: the offset between the two clocks is watched, and
// segments older than the last step seen are not trusted.
type clock struct {
	base    time.Time
	offset  atomic.Int64 // wall − monotonic, ns, against base
	checked atomic.Int64 // monotonic ns since base at which offset was stored
	stepped atomic.Int64 // monotonic ns since base of the last step seen
	count   atomic.Int64
}

const (
	// A clock that is being slewed drifts by at most 500 ppm, a step of a
	// millisecond is what chrony and ntpd would do at once.
	slewPerSecond = int64(time.Millisecond)
	stepMin       = int64(time.Millisecond)
	refreshAfter  = int64(100 * time.Millisecond)
)

func newClock() *clock {
	c := &clock{base: time.Now()}
	c.stepped.Store(-1)
	return c
}

func (c *clock) steps() int { return int(c.count.Load()) }

// age returns how long before now the kernel stamped a segment with wall time
// stamp (unix ns). ok is false where that cannot be trusted.
func (c *clock) age(now time.Time, stamp int64) (age time.Duration, ok bool) {
	wall := now.UnixNano() - c.base.UnixNano()
	return c.ageAt(wall, int64(now.Sub(c.base)), stamp-c.base.UnixNano())
}

// ageAt is age on plain numbers, all ns since base: now by the wall clock, now
// by the monotonic clock, the stamp by the wall clock.
func (c *clock) ageAt(wall, mono, stamp int64) (time.Duration, bool) {
	c.watch(wall-mono, mono)
	age := wall - stamp
	return time.Duration(age), age >= 0 && mono-age > c.stepped.Load()
}

// watch compares the offset between the clocks with the last one known.
func (c *clock) watch(offset, mono int64) {
	known, checked := c.offset.Load(), c.checked.Load()
	since := max(mono-checked, 0)
	moved := max(offset-known, known-offset)
	switch {
	case moved > stepMin+since*slewPerSecond/int64(time.Second):
		// One of the readers that see the step counts it.
		if c.offset.CompareAndSwap(known, offset) {
			c.count.Add(1)
			c.checked.Store(mono)
			c.stepped.Store(mono)
		}
	case since > refreshAfter:
		if c.offset.CompareAndSwap(known, offset) {
			c.checked.Store(mono)
		}
	}
}
