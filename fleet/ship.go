package fleet

import (
	"context"
	"encoding/binary"
	"errors"
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

	have  atomic.Int64
	moved chan struct{} // has a token when have has grown
}

// run sends until ctx is done.
func (s *shipper) ship(ctx context.Context) error {
	inbox := nats.NewInbox()
	answers, err := s.conn.Subscribe(inbox, func(m *nats.Msg) {
		if len(m.Data) != 8 {
			return
		}
		s.heard()
		n := int64(binary.LittleEndian.Uint64(m.Data))
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
	for {
		// A spool that cannot be written ends the run by its next record.
		_ = s.spool.flush(s.issued())
		have := s.have.Load()
		if have != last {
			last, answered = have, time.Now()
		}
		if sent < have || sent > have && time.Since(answered) > resend {
			sent, answered = have, time.Now()
		}
		for sent-have < window {
			b, err := s.spool.read(sent, parcel)
			if err != nil {
				return err
			}
			if len(b) == 0 || s.conn.PublishRequest(s.subject, inbox, wrap(s.run, sent, b)) != nil {
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
	if err := s.spool.flush(s.issued()); err != nil {
		return err
	}
	for s.have.Load() < s.spool.length() {
		select {
		case <-ctx.Done():
			return errors.New("records are left that the coordinator did not take in")
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// wrap puts records into a message, unwrap takes them out.
func wrap(run int, at int64, records []byte) []byte {
	b := make([]byte, 0, 16+len(records))
	b = binary.LittleEndian.AppendUint64(b, uint64(run))
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	return append(b, records...)
}

func unwrap(b []byte) (run int, at int64, records []byte, ok bool) {
	if len(b) < 16 {
		return 0, 0, nil, false
	}
	return int(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:])), b[16:], true
}
