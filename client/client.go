package client

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
)

// A Client performs requests against one endpoint.
type Client struct {
	target  *target
	engine  engine
	name    Engine
	clock   *clock
	stats   *stats
	memory  *memory
	replies sync.Pool
}

// New returns a client for the endpoint, or an error that says what in c is
// wrong. Nothing is sent or dialled.
func New(c Config) (*Client, error) {
	t, err := newTarget(c)
	if err != nil {
		return nil, err
	}
	cl := &Client{target: t, clock: newClock(), stats: &stats{most: t.sockets()}, memory: newMemory(t.Memory)}
	cl.replies.New = func() any {
		return &reply{asked: t.Streaming, secrets: t.secrets, asksFor: t.Model, codings: t.codings, memory: cl.memory}
	}
	if cl.name, err = t.choose(); err != nil {
		return nil, err
	}
	if cl.name == Raw {
		cl.engine = newRaw(t, cl.stats, cl.clock)
	} else {
		cl.engine = newStd(t, cl.stats)
	}
	return cl, nil
}

// choose returns the engine that serves the target.
func (t *target) choose() (Engine, error) {
	obstacle := ""
	if t.HTTP == HTTP2 {
		obstacle = "HTTP/2"
	}
	if t.Dial == nil {
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: t.send})
		if err != nil {
			return "", invalid("proxy in the environment cannot be read: check HTTP_PROXY and HTTPS_PROXY")
		}
		if proxy != nil {
			obstacle = "a proxy (set NO_PROXY to go without)"
		}
	}
	switch {
	case t.Engine == Std:
		return Std, nil
	case t.Engine != Auto && t.Engine != Raw:
		return "", invalid("engine %q: want auto, raw or std", t.Engine)
	case obstacle == "":
		return Raw, nil
	case t.Engine == Raw:
		return "", invalid("the raw engine does not speak %s: use engine auto or std", obstacle)
	}
	return Std, nil
}

// Send performs rec.Request and completes rec: every field that Record says is
// written by client. The record was reset, and its Request, Phase and Start
// set, Start being the moment of sending. Send returns no error: what goes
// wrong is rec.Failure. Any number of goroutines may call it at once, each with
// a record of its own.
func (c *Client) Send(ctx context.Context, rec *loadgen.Record) {
	r := c.replies.Get().(*reply)
	r.reset(rec)
	rec.BytesOut = len(rec.Request.Body)
	if err := c.engine.send(ctx, r); err != nil {
		rec.Took = time.Since(rec.Start)
		rec.Failure = c.failure(ctx, rec, err)
		rec.Failure.RetryAfter = r.pause
	}
	c.stats.count(rec)
	r.giveBack()
	r.rec = nil
	c.replies.Put(r)
}

func (c *Client) failure(ctx context.Context, rec *loadgen.Record, err error) *loadgen.Failure {
	f := &loadgen.Failure{Kind: failureKind(ctx, err), Status: rec.Status}
	switch f.Kind {
	case loadgen.FailCancelled:
		f.Message = fmt.Sprintf("cancelled after %.3f s", rec.Took.Seconds())
	case loadgen.FailTimeout:
		f.Message = fmt.Sprintf("not answered within the request timeout of %s: %s", c.target.RequestTimeout, progress(rec))
	default:
		if short := shortage(err); short != "" {
			err = &words{"%s: %v", []any{own(short), err}}
		}
		f.Message = c.target.secrets.message(err)
	}
	return f
}

// progress says how far a request came.
func progress(rec *loadgen.Record) string {
	switch {
	case len(rec.Chunks) > 0:
		return fmt.Sprintf("%d chunks of the answer had come", len(rec.Chunks))
	case rec.Head > 0:
		return "the response had begun, no output had come"
	case rec.Conn.Wrote > 0:
		return "the request was sent, no response had come"
	}
	return "no connection carried the request"
}

// Transport says what was done with connections so far.
func (c *Client) Transport() loadgen.Transport {
	t := c.stats.transport()
	t.Engine = string(c.name)
	t.TLS = c.target.tls != nil
	return t
}

// KernelTimes reports whether arrivals are to carry the kernel's time: then it
// does not matter to them how soon a reader gets to run.
func (c *Client) KernelTimes() bool {
	e, ok := c.engine.(*raw)
	return ok && e.stamps != nil
}

// ClockSteps returns how often the wall clock was seen to step against the
// monotonic one. Arrivals near a step carry the reader's time.
func (c *Client) ClockSteps() int { return c.clock.steps() }

// Close ends the idle connections. No Send may be running.
func (c *Client) Close() { c.engine.close() }

// stats counts what the engines do.
type stats struct {
	opened, reused, retried atomic.Int64
	dialErrors, localDials  atomic.Int64 // the latter being those that are this machine's fault
	open, maxOpen, dialling atomic.Int64
	most                    int64        // connections that there are descriptors for; 0 for any number
	kernel, reader          atomic.Int64 // records by Timing
	protocol                atomic.Pointer[string]
}

// count takes in a finished record.
func (s *stats) count(rec *loadgen.Record) {
	if rec.Conn.Reused {
		s.reused.Add(1)
	}
	switch {
	case len(rec.Chunks) == 0:
	case rec.Timing == loadgen.Kernel:
		s.kernel.Add(1)
	default:
		s.reader.Add(1)
	}
}

// mayDial reports whether there is a descriptor for another connection, which
// dialled ends. Some are left for the results: a run that cannot write them is
// lost, one that misses connections is not.
func (s *stats) mayDial() bool {
	if n := s.dialling.Add(1) + s.open.Load(); s.most == 0 || n <= s.most {
		return true
	}
	s.dialling.Add(-1)
	return false
}

func (s *stats) dialled() { s.dialling.Add(-1) }

// refused counts a dial that failed.
func (s *stats) refused(err error) {
	s.dialErrors.Add(1)
	if local(err) {
		s.localDials.Add(1)
	}
}

func (s *stats) connected() {
	s.opened.Add(1)
	n := s.open.Add(1)
	for {
		m := s.maxOpen.Load()
		if n <= m || s.maxOpen.CompareAndSwap(m, n) {
			return
		}
	}
}

func (s *stats) closed() { s.open.Add(-1) }

func (s *stats) speaks(protocol string) {
	if p := s.protocol.Load(); p == nil || *p != protocol {
		spoken := protocol // a variable of its own, so that only this branch allocates
		s.protocol.Store(&spoken)
	}
}

func (s *stats) transport() loadgen.Transport {
	t := loadgen.Transport{
		Opened:     int(s.opened.Load()),
		Reused:     int(s.reused.Load()),
		DialErrors: int(s.dialErrors.Load()),
		LocalDials: int(s.localDials.Load()),
		Retried:    int(s.retried.Load()),
		MaxOpen:    int(s.maxOpen.Load()),
		Timing:     loadgen.Reader.String(),
	}
	if p := s.protocol.Load(); p != nil {
		t.Protocol = *p
	}
	if s.kernel.Load() > 0 {
		t.Timing = loadgen.Kernel.String()
		if s.reader.Load() > 0 {
			t.Timing = "mixed"
		}
	}
	return t
}
