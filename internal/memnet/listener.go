// Package memnet is a network inside the process, for tests of the client, of
// the driver and of the simulated endpoint in virtual time: a [Listener] and
// the [Listener.Dial] that reaches it.
//
// It is no wrapper of net.Pipe. That pipe is unbuffered, so a server that
// answers before it has read the whole request and a client that writes the
// whole request before it reads wait for each other for ever; and two writers
// of one pipe queue on a mutex, which a testing/synctest bubble does not count
// as blocked, so virtual time stops. Here writes are buffered as a socket's
// are, and every wait is one that a bubble understands.
//
// One thing is kept that TCP loses: a Read never returns bytes of two Writes.
// What a reader sees therefore does not depend on which goroutine ran first.
package memnet

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// backlog is how many connections may wait to be accepted, as on Linux.
const backlog = 4096

// A Listener accepts the connections that its own Dial makes.
type Listener struct {
	queue chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Listen returns an open Listener. In a synctest bubble it must be called
// inside.
func Listen() *Listener {
	return &Listener{queue: make(chan net.Conn, backlog), done: make(chan struct{})}
}

// Accept waits for the next connection; after Close it returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, opError("accept", net.ErrClosed)
	default:
	}
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, opError("accept", net.ErrClosed)
	}
}

// Close ends Accept and refuses every later Dial. Connections stay open, those
// that nobody had accepted are reset.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	for {
		select {
		case c := <-l.queue:
			c.(*Conn).SetLinger(0)
			c.Close()
		default:
			return nil
		}
	}
}

// Addr returns a fixed address.
func (l *Listener) Addr() net.Addr { return addr{} }

// Dial connects to the listener. As with a socket it does not wait for Accept;
// after Close it returns syscall.ECONNREFUSED.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	select {
	case <-l.done:
		return nil, opError("dial", syscall.ECONNREFUSED)
	default:
	}
	client, server := Pipe()
	select {
	case l.queue <- server:
		return client, nil
	case <-l.done:
		return nil, opError("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, opError("dial", ctx.Err())
	}
}

// DialContext is Dial in the form of http.Transport.DialContext; network and
// address are ignored.
func (l *Listener) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return l.Dial(ctx)
}

func opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "mem", Addr: addr{}, Err: err}
}

type addr struct{}

func (addr) Network() string { return "mem" }
func (addr) String() string  { return "127.0.0.1:0" }
