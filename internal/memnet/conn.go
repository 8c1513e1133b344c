package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes may wait in one direction before Write blocks: the
// write that crosses it still goes in whole.
const window = 256 << 10

// A Conn is one end of a connection in memory. Its errors are those of a
// socket: io.EOF, net.ErrClosed, os.ErrDeadlineExceeded, EPIPE, ECONNRESET.
type Conn struct {
	in, out *stream
	// abort makes Close a reset.
	mu    sync.Mutex
	abort bool
}

var _ net.Conn = (*Conn)(nil)

// Pipe returns the two ends of a new connection.
func Pipe() (*Conn, *Conn) {
	a, b := newStream(), newStream()
	return &Conn{in: a, out: b}, &Conn{in: b, out: a}
}

// Read fills p from the oldest Write not yet read in full.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write copies p into the peer's buffer and waits only where that is full.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close ends both directions. The peer still reads what was written before,
// then io.EOF.
func (c *Conn) Close() error {
	c.mu.Lock()
	abort := c.abort
	c.mu.Unlock()
	c.out.endWrite(abort)
	c.in.endRead()
	return nil
}

// SetLinger with 0 makes Close a reset, as on a *net.TCPConn: the peer loses
// what it had not read and gets ECONNRESET.
func (c *Conn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = sec == 0
	return nil
}

// LocalAddr returns a fixed address.
func (c *Conn) LocalAddr() net.Addr { return addr{} }

// RemoteAddr returns a fixed address.
func (c *Conn) RemoteAddr() net.Addr { return addr{} }

// SetDeadline sets both deadlines; the zero time sets none.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline ends present and later reads at t.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

// SetWriteDeadline ends present and later writes at t.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// A stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond // a wait on it is durable in a synctest bubble

	writes  [][]byte // written, not yet read
	size    int      // bytes in writes
	ended   bool     // the writer has closed
	reset   bool     // … by a reset
	unread  bool     // the reader has closed
	readBy  deadline
	writeBy deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.unread:
			return 0, opError("read", net.ErrClosed)
		case s.reset:
			return 0, opError("read", syscall.ECONNRESET)
		case s.readBy.passed():
			return 0, opError("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case len(s.writes) > 0:
			n := copy(p, s.writes[0])
			if s.writes[0] = s.writes[0][n:]; len(s.writes[0]) == 0 {
				s.writes = s.writes[1:]
			}
			s.size -= n
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return 0, opError("write", net.ErrClosed)
		case s.unread:
			return 0, opError("write", syscall.EPIPE)
		case s.writeBy.passed():
			return 0, opError("write", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case s.size < window:
			s.writes = append(s.writes, append([]byte(nil), p...))
			s.size += len(p)
			s.changed.Broadcast()
			return len(p), nil
		}
		s.changed.Wait()
	}
}

func (s *stream) endWrite(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.reset = true, s.reset || reset
	s.writeBy.stop()
	s.changed.Broadcast()
}

func (s *stream) endRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = true
	s.readBy.stop()
	s.changed.Broadcast()
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.at = t
	// What has passed needs no timer. net/http sets such deadlines all the time,
	// and timers that go off at once in two goroutines of one bubble crash Go 1.26
	// under its race detector: they share one context of it.
	if !t.IsZero() && !d.passed() {
		d.timer = time.AfterFunc(time.Until(t), s.wake)
	}
	s.changed.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

// wake holds the lock: a waiter between its check and its Wait must not miss
// the deadline.
func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}
