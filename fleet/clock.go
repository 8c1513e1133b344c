package fleet

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// A clock is how far a worker's is ahead, and the most by which that is wrong.
type clock struct{ offset, bound time.Duration }

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
			best = clock{time.Duration(theirs - sent.UnixNano() - int64(took/2)), took / 2}
		}
	}
	if best.bound == time.Hour {
		return best, fmt.Errorf("worker %d does not tell its clock", i)
	}
	return best, nil
}
