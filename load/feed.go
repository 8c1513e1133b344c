package load

import (
	"context"
	"errors"
	"io"

	"loadgen"
)

// A Feed makes sessions ahead of their time, so that no request waits for its
// own making, and holds no more of them than it was told to.
//
// Once it is full it rests until half of them are taken: to be woken for every
// one costs more than making it.
type Feed struct {
	sessions chan *loadgen.Session
	low      chan struct{} // has a token when half of the sessions or fewer are left
	filled   chan struct{}
	done     chan struct{}
	cancel   context.CancelFunc
	err      error
}

// StartFeed begins to make sessions with next, which is called from one
// goroutine and returns io.EOF behind the last session. Up to ahead of them
// wait to be taken. Stop must be called to end it.
func StartFeed(ctx context.Context, next func() (*loadgen.Session, error), ahead int) *Feed {
	f := &Feed{
		sessions: make(chan *loadgen.Session, max(ahead, 1)),
		low:      make(chan struct{}, 1),
		filled:   make(chan struct{}),
		done:     make(chan struct{}),
	}
	ctx, f.cancel = context.WithCancel(ctx)
	go f.run(ctx, next)
	return f
}

// Take returns the next session, nil behind the last one or where ctx is done
// before there is one. waited says that it was not ready yet.
func (f *Feed) Take(ctx context.Context) (s *loadgen.Session, waited bool) {
	select {
	case s = <-f.sessions:
	default:
		waited = true
		select {
		case s = <-f.sessions:
		case <-ctx.Done():
		}
	}
	if len(f.sessions) <= cap(f.sessions)/2 {
		select {
		case f.low <- struct{}{}:
		default:
		}
	}
	return s, waited
}

// Ready waits until as many sessions are made as may wait, or all there are.
func (f *Feed) Ready(ctx context.Context) error {
	select {
	case <-f.filled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends the making and returns what went wrong with it, if anything did.
func (f *Feed) Stop() error {
	f.cancel()
	<-f.done
	return f.err
}

func (f *Feed) run(ctx context.Context, next func() (*loadgen.Session, error)) {
	defer close(f.done)
	defer close(f.sessions)
	full := false
	reached := func() {
		if !full {
			full = true
			close(f.filled)
		}
	}
	defer reached()
	for ctx.Err() == nil {
		session, err := next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.err = err
			}
			return
		}
		for !f.put(session) {
			reached()
			select {
			case <-f.low:
			case <-ctx.Done():
				return
			}
		}
	}
}

// put adds a session unless as many as may wait do.
func (f *Feed) put(s *loadgen.Session) bool {
	select {
	case f.sessions <- s:
		return true
	default:
		return false
	}
}
