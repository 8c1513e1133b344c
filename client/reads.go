package client

import (
	"sync/atomic"
	"time"
)

// reads numbers the reads of a connection that brought bytes. One that fills its
// buffer to the brim goes on in the next, if that finds its bytes at once: they
// were waiting together, and the buffer's size alone has cut them. So both bear
// one number, and their chunks are known for merged. Where the times of the two
// differ each chunk keeps that of the read it came in, since at the time of the
// first one the rest need not have been there.
//
// Where tokens come one by one the next read waits for its bytes, even if the
// one before happened to fill its buffer.
type reads struct {
	number atomic.Int64 // of the last one; others than the reader may ask
	full   bool         // it filled its buffer to the brim
}

// atOnce is how long a read takes at most that does not wait for its bytes.
const atOnce = 100 * time.Microsecond

// begin returns when the next read begins, as far as that matters.
func (r *reads) begin() (began time.Time) {
	if r.full {
		began = time.Now()
	}
	return began
}

// end takes in that the read that began then has just brought n bytes for a
// buffer of size.
func (r *reads) end(began time.Time, n, size int) {
	if n > 0 && !(r.full && time.Since(began) < atOnce) {
		r.number.Add(1)
	}
	r.full = n > 0 && n == size
}
