package metrics

import (
	"slices"
	"time"

	"loadgen"
)

// away is when users of a closed loop stayed away after a failure: as long as the
// endpoint asked for, or as long as users do who get errors. They are not in
// flight then, which is no fault of the generator.
type away struct {
	users []absence // by their numbers
	spent series    // as if they were requests in flight
}

// An absence is what is known of a user whose latest request has ended.
type absence struct {
	away  bool
	since time.Duration
}

// add takes in a request; those of each user come in their order.
func (a *away) add(r *loadgen.Record) {
	for len(a.users) <= r.Worker {
		a.users = append(a.users, absence{})
	}
	at := max(r.Ended, 0)
	switch {
	case r.Phase == loadgen.Profiling:
		a.back(r.Worker, r.Sent)
	case !r.Crossing:
		at = 0 // it was over before the epoch
	}
	a.users[r.Worker] = absence{!r.OK() && !r.Cancelled(), at}
}

// back ends a user's absence.
func (a *away) back(user int, at time.Duration) {
	if user >= len(a.users) || !a.users[user].away || at <= a.users[user].since {
		return
	}
	a.spent.stay(a.users[user].since, at)
}

// total adds up, in seconds, for how long users were away between two times. Those
// who have not come back stayed away until the end.
func (a *away) total(from, to, end time.Duration) float64 {
	all := away{a.users, series{a.spent.width, slices.Clone(a.spent.bins)}}
	for user := range a.users {
		all.back(user, end)
	}
	return all.spent.between(from, to).inFlight
}
