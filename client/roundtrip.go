package client

import (
	"slices"
	"time"
)

// RoundTrip is the network's round trip by the kernel's account: the median over the
// connections that are open and idle, of the least that each has seen; 0 where it
// does not tell, and of the std engine. It is to be asked when no Send is running.
func (c *Client) RoundTrip() time.Duration {
	e, ok := c.engine.(*raw)
	if !ok {
		return 0
	}
	e.mu.Lock()
	idle := slices.Clone(e.idle)
	e.mu.Unlock()
	var trips []time.Duration
	for _, open := range idle {
		if trip := roundTrip(open.wire.Conn); trip > 0 {
			trips = append(trips, trip)
		}
	}
	if len(trips) == 0 {
		return 0
	}
	slices.Sort(trips)
	return trips[len(trips)/2]
}
