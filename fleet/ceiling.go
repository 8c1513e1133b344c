package fleet

import (
	"cmp"
	"slices"
	"time"

	"loadgen"
)

// mostHeld is of how many requests it is kept how they met the ceiling.
const mostHeld = 1 << 17

// A ceiling tells how the requests of all workers met the ceiling that is dealt out
// to them: one may wait for a slot of its worker while another worker has one free,
// where one process would have sent it.
type ceiling struct {
	slots int // of all; 0 for no ceiling
	turns []turning
	n     int
}

// A turning is when one more, or one less, is in flight or waits.
type turning struct {
	at            time.Duration
	flight, waits int8
}

func (c *ceiling) add(r *loadgen.Record) {
	if c.slots == 0 || c.n == mostHeld {
		return
	}
	c.n++
	c.turns = append(c.turns, turning{r.Sent, 1, 0}, turning{r.Ended, -1, 0})
	if r.Held > 0 {
		c.turns = append(c.turns, turning{r.Due, 0, 1}, turning{r.Due + r.Held, 0, -1})
	}
}

// free is the share of the time that requests waited under the ceiling in which
// some worker had a slot free; 0 where none waited.
func (c *ceiling) free() float64 {
	slices.SortFunc(c.turns, func(a, b turning) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.flight, b.flight))
	})
	var waited, free, last time.Duration
	flight, waits := 0, 0
	for _, t := range c.turns {
		passed := time.Duration(waits) * (t.at - last)
		waited += passed
		if flight < c.slots {
			free += passed
		}
		flight, waits, last = flight+int(t.flight), waits+int(t.waits), t.at
	}
	if waited == 0 {
		return 0
	}
	return float64(free) / float64(waited)
}
