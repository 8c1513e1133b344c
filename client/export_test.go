package client

import (
	"context"
	"net"
	"time"

	"loadgen"
)

// ParseBoth reads one object with the scanner and with encoding/json. usual is
// false where the scanner leaves the object to encoding/json anyway.
func ParseBoth(data []byte) (usual bool, fast, slow Parsed) {
	var a, b loadgen.Record
	a.Reset()
	b.Reset()
	s := scanner{b: data}
	e := event{rec: &a, usage: loadgen.NoUsage}
	e.object(&s)
	usual = s.end()
	f := event{rec: &b, usage: loadgen.NoUsage}
	ok := f.slow(data)
	return usual, parsed(&e, usual), parsed(&f, ok)
}

// ParseAfter reads data as an event that follows another.
func ParseAfter(before, data []byte) Parsed {
	var p parser
	var a, b loadgen.Record
	a.Reset()
	b.Reset()
	p.parse(before, &a)
	e, ok := p.parse(data, &b)
	return parsed(&e, ok)
}

// KeptBetweenReplies reads data as an event and returns how many bytes the
// parser keeps for the next reply.
func KeptBetweenReplies(data []byte) int {
	var p parser
	var rec loadgen.Record
	rec.Reset()
	p.parse(data, &rec)
	p.reset()
	return cap(p.front) + cap(p.back)
}

// Parsed is all that is read from one object.
type Parsed struct {
	OK, Failed, Others   bool
	Kinds                uint8
	Text, Thought, Tools string
	Finish, Model        string
	Usage                loadgen.Usage
}

func parsed(e *event, ok bool) Parsed {
	return Parsed{
		ok, e.failed, e.others, uint8(e.kinds),
		string(e.rec.Text), string(e.rec.Thought), string(e.rec.Tools),
		string(e.finish.appendTo(nil)), string(e.model.appendTo(nil)), e.usage,
	}
}

// Event is one server-sent event.
type Event struct{ Type, Data string }

// SplitEvents pushes the pieces through the event stream reader.
func SplitEvents(pieces ...[]byte) []Event {
	var s sse
	var events []Event
	keep := func(kind, data []byte) { events = append(events, Event{string(kind), string(data)}) }
	for _, p := range pieces {
		buffer := append([]byte(nil), p...)
		for kind, data, rest, found := s.next(buffer); found; kind, data, rest, found = s.next(rest) {
			keep(kind, data)
		}
		clear(buffer) // what was pushed belongs to the next read
	}
	if kind, data, found := s.last(); found {
		keep(kind, data)
	}
	return events
}

// ReadStream reads the body of an event stream that comes in pieces, each by a
// read of its own.
func ReadStream(pieces ...[]byte) *loadgen.Record {
	arrivals := make([]Arrival, len(pieces))
	for i, p := range pieces {
		arrivals[i] = Arrival{Bytes: p, At: time.Duration(i), Read: int64(i)}
	}
	return ReadArrivals(arrivals...)
}

// An Arrival is a piece of an event stream and what its read said of it.
type Arrival struct {
	Bytes     []byte
	At, Delay time.Duration
	Kernel    bool
	Read      int64
}

// ReadArrivals reads the body of an event stream that comes in pieces.
func ReadArrivals(pieces ...Arrival) *loadgen.Record {
	rec := &loadgen.Record{}
	rec.Reset()
	r := &reply{asked: true, memory: newMemory(defaultMemory)}
	r.reset(rec)
	r.head(0, &response{status: 200, contentType: []byte("text/event-stream")})
	for _, p := range pieces {
		now := arrival{p.At, p.Delay, p.Kernel, p.Read}
		r.read(now)
		r.push(p.Bytes, now)
	}
	if err := r.end(nil); err != nil {
		rec.Failure = &loadgen.Failure{Kind: failureKind(context.Background(), err), Message: err.Error()}
	}
	return rec
}

// A Clock is a clock on plain numbers.
type Clock struct{ clock *clock }

func NewClock() Clock {
	c := newClock()
	c.offset.Store(0)
	return Clock{c}
}

// NewRealClock is a clock that reads the system's.
func NewRealClock() Clock { return Clock{newClock()} }

// AgeNow takes a reading of the system's clocks.
func (c Clock) AgeNow() { c.clock.age(time.Now(), time.Now().UnixNano()) }

// Age is given the two clocks and the stamp since the clock's base, and how
// long the thread was held between reading the one and the other.
func (c Clock) Age(wall, mono, stamp, held time.Duration) (time.Duration, bool) {
	c.clock.look = func() (int64, int64, bool) { return int64(wall - mono), int64(mono), true }
	return c.clock.ageAt(int64(wall-held), int64(mono), int64(stamp))
}

// AgeOfTorn is Age where the thread is held at every further look, too.
func (c Clock) AgeOfTorn(now, stamp, held time.Duration) (time.Duration, bool) {
	c.clock.look = func() (int64, int64, bool) { return 0, 0, false }
	return c.clock.ageAt(int64(now-held), int64(now), int64(stamp))
}

func (c Clock) Steps() int { return c.clock.steps() }

// Carry judges a concurrency by what the system grants.
func Carry(files, ports, concurrency int) error { return resources{files, ports}.carry(concurrency) }

// Message makes a failure's message.
func Message(key string, headers map[string]string, s string) string {
	c := Config{APIKey: key, Headers: headers}
	return redactor{c.Secrets()}.label(s)
}

// ReadStamped reads once from a fresh TCP connection and returns the reader's
// time and the kernel's, unix ns, 0 where it gave none.
func ReadStamped(conn net.Conn, p []byte) func() (n int, at time.Time, stamp int64, err error) {
	w := newWire(conn, true)
	return func() (int, time.Time, int64, error) {
		n, err := w.Read(p)
		return n, w.at, w.stamp, err
	}
}

// Plain counts the bytes in front that stand for themselves in a JSON string.
func Plain(b []byte) int { return plain(b) }

// WriteAll writes p to a TCP connection as the raw engine does.
func WriteAll(conn net.Conn, p []byte) (int, error) { return newWire(conn, false).Write(p) }

// MemoryUsed is what the client's replies and their records hold.
func MemoryUsed(c *Client) int64 { return c.memory.Used() }

// MayDial reports whether there is a descriptor for another connection.
func MayDial(c *Client) bool {
	if !c.stats.mayDial() {
		return false
	}
	c.stats.dialled()
	return true
}
