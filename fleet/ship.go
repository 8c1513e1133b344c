package fleet

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	shipEvery = 25 * time.Millisecond
	parcel    = 128 << 10 // bytes of records in a message
	window    = 4 * parcel
	resend    = time.Second // after so long without an answer
)

// A shipper sends the records of a run from the spool. Parcels say where in the
// spool they are from; what the coordinator answers is how much it has. It may
// not have got one: then all from there on is sent again.
type shipper struct {
	conn    *nats.Conn
	subject string
	run     int
	spool   *spool
	issued  func() int // requests of the measurement that were sent
	heard   func()     // the coordinator has answered
	over    func()     // it takes in nothing more

	have   atomic.Int64
	behind atomic.Int64  // nanoseconds, the longest that a record was on its way
	moved  chan struct{} // has a token when have has grown
	failed atomic.Pointer[error]
}

// ship sends until ctx is done.
func (s *shipper) ship(ctx context.Context) {
	if err := s.send(ctx); err != nil {
		s.failed.Store(&err)
	}
}

func (s *shipper) send(ctx context.Context) error {
	inbox := s.conn.NewInbox()
	answers, err := s.conn.Subscribe(inbox, func(m *nats.Msg) {
		if len(m.Data) != 8 {
			return
		}
		s.heard()
		n := int64(binary.LittleEndian.Uint64(m.Data))
		if n == runIsOver {
			s.over()
		}
		if n > s.have.Load() {
			s.have.Store(n)
			s.spool.ack(n)
			select {
			case s.moved <- struct{}{}:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	defer func() { _ = answers.Unsubscribe() }()
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	sent, answered, last := int64(0), time.Now(), int64(0)
	mark, marked := int64(0), answered // a place in the spool, and when that was its end
	for {
		issued := s.issued()
		s.spool.flush(issued)
		have := s.have.Load()
		if have != last {
			last, answered = have, time.Now()
		}
		s.behind.Store(max(s.behind.Load(), int64(time.Since(marked))))
		if have >= mark {
			mark, marked = s.spool.length(), time.Now()
		}
		if sent < have || sent > have && time.Since(answered) > resend {
			sent, answered = have, time.Now()
		}
		for sent-have < window {
			b, err := s.spool.read(sent, parcel)
			if err != nil {
				return err
			}
			if len(b) == 0 || s.conn.PublishRequest(s.subject, inbox, wrap(s.run, sent, issued, b)) != nil {
				break // there is none, or no connection for now
			}
			if sent == have {
				answered = time.Now()
			}
			sent += int64(len(b))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.moved:
		case <-tick.C:
		}
	}
}

// delivered waits until all that was added is taken in, or ctx is done.
func (s *shipper) delivered(ctx context.Context) error {
	s.spool.flush(s.issued())
	for s.have.Load() < s.spool.length() {
		if failed := s.failed.Load(); failed != nil {
			return fmt.Errorf("sending records: %w", *failed)
		}
		select {
		case <-ctx.Done():
			return ErrAlone
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// wrap puts records into a message, with how many requests were sent by then;
// unwrap takes them out.
func wrap(run int, at int64, issued int, records []byte) []byte {
	b := make([]byte, 0, wrapping+len(records))
	b = binary.LittleEndian.AppendUint64(b, uint64(run))
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint64(b, uint64(issued))
	return append(b, records...)
}

func unwrap(b []byte) (run int, at int64, issued int, records []byte, ok bool) {
	if len(b) < wrapping {
		return 0, 0, 0, nil, false
	}
	number := binary.LittleEndian.Uint64
	return int(number(b)), int64(number(b[8:])), int(number(b[16:])), b[wrapping:], true
}

const wrapping = 3 * 8

// runIsOver is the answer to records of a run that takes in no more.
const runIsOver = -1

// taken answers records: how many bytes of them have been taken in.
func taken(have int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(have)) }
