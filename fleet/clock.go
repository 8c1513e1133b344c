package fleet

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// A clock is how far a worker's is ahead, and the most by which that is wrong.
type clock struct{ offset, bound time.Duration }

// A steady clock tells the time of the wall as it was when it began, and goes on by
// the monotonic clock: when the one on the wall is set, those of workers and
// coordinator still agree.
type steady struct{ began time.Time }

// tell is a moment of this process in the nanoseconds that others are told.
func (s steady) tell(t time.Time) int64 { return s.began.UnixNano() + int64(t.Sub(s.began)) }

// hear is the moment of this process that others call by so many nanoseconds.
func (s steady) hear(at int64) time.Time {
	return s.began.Add(time.Duration(at - s.began.UnixNano()))
}

// pings is how often a clock is read: the quickest answer tells most.
const pings = 16

// clockOf reads a worker's clock. The answer left the worker somewhere between the
// question and its arrival: half of that time is the bound.
func (k *Coordinator) clockOf(ctx context.Context, i int) (best clock, err error) {
	best.bound = time.Hour
	failed := 0
	for range pings {
		if failed == 2 {
			break
		}
		try, cancel := context.WithTimeout(ctx, time.Second)
		sent := time.Now()
		msg, err := k.conn.RequestWithContext(try, k.seat(i).subject(toClock), nil)
		took := time.Since(sent)
		cancel()
		if err != nil || len(msg.Data) != 8 {
			failed++
			continue
		}
		theirs := int64(binary.LittleEndian.Uint64(msg.Data))
		if took/2 < best.bound {
			best = clock{time.Duration(theirs - k.clock.tell(sent) - int64(took/2)), took / 2}
		}
	}
	if best.bound == time.Hour {
		return best, fmt.Errorf("worker %d does not tell its clock", i)
	}
	return best, nil
}
