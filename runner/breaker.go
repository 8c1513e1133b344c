package runner

import (
	"errors"
	"fmt"
	"time"

	"loadgen"
	"loadgen/sweep"
)

// Why a run was given up; its error is one of them, by errors.Is.
var (
	// ErrGivenUp is a run whose requests failed for too long, or too often.
	ErrGivenUp = errors.New("given up")
	// ErrEndpointGone is one to whose endpoint no connection could be made.
	ErrEndpointGone = fmt.Errorf("%w: the endpoint is gone", ErrGivenUp)
	// ErrLocal is one for which this machine had not enough of something: it
	// says nothing about the endpoint.
	ErrLocal = fmt.Errorf("%w: out of this machine's own descriptors, ports or memory", ErrGivenUp)
)

const (
	latestRequests = 100 // that max_error_rate is a share of
	fewestRequests = 20  // that must have ended

	// What failures may come to, on the wire and in the files, before the first
	// success: an endpoint that never succeeds is not hammered by a high rate, and a
	// night of it fills no disk.
	mostInVain   = 2 << 20 // bytes
	aboutALine   = 1500    // bytes of what is written about a request beside its body
	refusedFirst = 250 * time.Millisecond
)

// A breaker says when a run is to be given up: a night is not spent on a dead
// server. It is told of all requests that have ended, in that order.
type breaker struct {
	patience time.Duration // without a success; 0 for any time
	share    float64       // of the latest requests that may fail
	counts   bool          // whether there is such a share

	since     time.Time     // of the last success, or of the first request
	longest   time.Duration // that a success took
	succeeded bool
	failures  int  // since the last success
	vain      int  // bytes that all failures came to
	local     bool // one of them was this machine's fault

	latest [latestRequests]bool // a ring: who failed
	ended  int
	failed int // of those in the ring
}

func newBreaker(c *sweep.Config) *breaker {
	return &breaker{
		patience: time.Duration(c.GiveUpAfter.Value * float64(time.Second)),
		share:    c.MaxErrorRate.Value, counts: c.MaxErrorRate.On,
	}
}

// add takes in a request that has ended, with how many are still in flight, and
// returns why the run is to be given up; nil to go on.
func (b *breaker) add(rec *loadgen.Record, flight int) error {
	if rec.Cancelled() {
		return nil
	}
	took := rec.Ended - rec.Sent
	if b.since.IsZero() {
		b.since = rec.Start
	}
	ended := rec.Start.Add(took)
	if rec.OK() {
		if ended.After(b.since) {
			b.since = ended
		}
		b.longest, b.succeeded = max(b.longest, took), true
		b.failures, b.local = 0, false
		b.note(false)
		return nil
	}
	b.failures++
	if b.vain += aboutALine; rec.Request != nil {
		b.vain += len(rec.Request.Body)
	}
	b.local = b.local || rec.Failure.Kind == loadgen.FailLocal
	b.note(true)
	silent := ended.Sub(b.since)
	switch {
	case b.patience > 0 && silent > b.patience && b.tells(rec, silent) && !b.open(rec, flight):
		return b.because(rec, fmt.Sprintf("no request has succeeded for %.0f s", silent.Seconds()))
	case b.patience > 0 && !b.succeeded && b.vain > mostInVain && (rec.Status > 0 || silent > refusedFirst):
		return b.because(rec, fmt.Sprintf("none of %d requests has succeeded", b.failures))
	case b.counts && b.ended >= fewestRequests && float64(b.failed) > b.share*float64(min(b.ended, latestRequests)):
		return b.because(rec, fmt.Sprintf("%d of the latest %d requests failed", b.failed, min(b.ended, latestRequests)))
	}
	return nil
}

// tells reports whether the silence before a failure is more than answers that
// take long. One failure may have cut a single answer, unless it waited for the
// endpoint in vain until its time was over.
func (b *breaker) tells(rec *loadgen.Record, silent time.Duration) bool {
	return silent > 2*b.longest && (b.failures > 1 || rec.Failure.Kind == loadgen.FailTimeout)
}

// open reports whether it is still open what becomes of most requests: the
// endpoint refused some, and how long an answer takes nobody knows yet.
func (b *breaker) open(rec *loadgen.Record, flight int) bool {
	switch rec.Failure.Kind {
	case loadgen.FailTimeout, loadgen.FailConnect, loadgen.FailLocal:
		return false // it is not there for others either
	}
	return b.longest == 0 && b.failures <= flight
}

// giveUp ends the run for a request that failed. Where the endpoint does not answer
// at all, what else is in flight would wait for its end in vain.
func (p *phases) giveUp(why error, rec *loadgen.Record) {
	p.stop(why)
	switch rec.Failure.Kind {
	case loadgen.FailTimeout, loadgen.FailConnect:
		p.cancel()
	}
}

// because returns the error of a run that is given up.
func (b *breaker) because(rec *loadgen.Record, what string) error {
	err := ErrGivenUp
	switch {
	case b.local:
		err = ErrLocal
	case rec.Failure.Kind == loadgen.FailConnect:
		err = ErrEndpointGone
	}
	return fmt.Errorf("%w: %s: %s", err, what, rec.Failure.Message)
}

// note adds a request to the ring.
func (b *breaker) note(failed bool) {
	at := &b.latest[b.ended%latestRequests]
	if *at {
		b.failed--
	}
	if *at = failed; failed {
		b.failed++
	}
	b.ended++
}
