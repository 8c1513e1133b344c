package load

import (
	"context"
	"errors"
	"io"

	"loadgen"
)

// A Feed makes sessions ahead of their time, so that no request waits for its
// own making, and holds no more of them than it was told to.
type Feed struct {
	sessions chan *loadgen.Session
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
		filled:   make(chan struct{}),
		done:     make(chan struct{}),
	}
	ctx, f.cancel = context.WithCancel(ctx)
	go f.run(ctx, next)
	return f
}

// Sessions is where the driver takes them from; it is closed behind the last.
func (f *Feed) Sessions() <-chan *loadgen.Session { return f.sessions }

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
		select {
		case f.sessions <- session:
			continue
		default:
			reached()
		}
		select {
		case f.sessions <- session:
		case <-ctx.Done():
			return
		}
	}
}
