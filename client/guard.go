package client

import (
	"context"
	"net"
	"sync"
	"time"
)

// A guard ends the exchanges on a connection whose time is up or whose context
// is done.
//
// What it needs for that is kept from exchange to exchange: the registration
// with the context, as the callers share few contexts, and the alarm, which a
// request that is answered in time leaves to the next one. To set a timer costs
// more than to read a reply.
type guard struct {
	stream net.Conn

	watched context.Context // that interrupt was registered with
	unwatch func() bool

	mu       sync.Mutex
	active   context.Context // of the exchange at hand, nil for none
	deadline time.Time       // of the exchange at hand, zero for none
	alarm    *time.Timer     // rings at the deadline of this exchange or of an earlier one
	armed    bool            // it is going to ring
	limited  bool            // a deadline is set on the connection itself
}

// begin puts an exchange under guard. It returns the error of a context that is
// done already.
func (g *guard) begin(ctx context.Context, deadline time.Time) error {
	if g.watched != ctx {
		if g.unwatch != nil {
			g.unwatch()
			g.unwatch = nil
		}
		g.watched = ctx
		if ctx.Done() != nil {
			g.unwatch = context.AfterFunc(ctx, func() { g.interrupt(ctx) })
		}
	}
	g.mu.Lock()
	g.active, g.deadline = ctx, deadline
	if g.limited {
		g.stream.SetDeadline(time.Time{})
		g.limited = false
	}
	if !deadline.IsZero() && !g.armed {
		g.setAlarm()
	}
	g.mu.Unlock()
	// Had the context ended before active was set, interrupt would have come
	// too early to do anything.
	return ctx.Err()
}

// finish ends the guard over an exchange.
func (g *guard) finish() {
	g.mu.Lock()
	g.active = nil
	g.mu.Unlock()
}

// stop ends it for good.
func (g *guard) stop() {
	if g.unwatch != nil {
		g.unwatch()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.alarm != nil {
		g.alarm.Stop()
	}
}

// setAlarm has the alarm ring at the deadline.
func (g *guard) setAlarm() {
	g.armed = true
	left := time.Until(g.deadline)
	if g.alarm == nil {
		g.alarm = time.AfterFunc(left, g.ring)
		return
	}
	g.alarm.Reset(left)
}

// ring ends the exchange at hand if its time is up. Where the alarm was set for
// an earlier one it is set again.
func (g *guard) ring() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = false
	switch {
	case g.active == nil || g.deadline.IsZero():
	case time.Until(g.deadline) > 0:
		g.setAlarm()
	default:
		g.cut()
	}
}

// interrupt ends the exchange that runs under ctx, if it still does.
func (g *guard) interrupt(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active == ctx {
		g.cut()
	}
}

// cut has every read and write of the exchange fail.
func (g *guard) cut() {
	g.stream.SetDeadline(time.Unix(1, 0))
	g.limited = true
}

// limitRead bounds how long what is left of the exchange is read, unless it has
// been cut.
func (g *guard) limitRead(left time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.limited {
		g.stream.SetReadDeadline(time.Now().Add(left))
		g.limited = true
	}
}
