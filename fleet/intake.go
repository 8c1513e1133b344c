package fleet

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen"
)

// handle takes in what a worker sends.
func (m *making) handle(in message) error {
	if in.run != m.number || in.worker >= len(m.crew) {
		if in.event != nil {
			_ = in.msg.Respond(encode(reply{}))
		}
		return nil
	}
	h := m.crew[in.worker]
	if in.event == nil {
		return m.takeIn(h, in)
	}
	var a reply
	var failed error
	switch e := in.event; e.What {
	case isReady:
		h.ready[e.Phase] = true
	case isWarm:
		h.warm = true
	case asksLook:
		a.Enough = m.enough(e.Look)
	case isDone:
		if h.done == nil && e.Result != nil {
			h.done = e.Result
			if e.Why != "" && h.gone == "" {
				h.gone, h.at = e.Why, m.since()
				m.lost(h)
				m.lose(h.index, e.Why)
			}
			if e.Result.Error != "" {
				failed = fmt.Errorf("worker %d: %s", h.index, e.Result.Error)
			}
			if c, err := m.clockOf(context.Background(), h.index); err == nil && m.begun {
				h.drift = c.offset - h.clock.offset
			}
		}
	}
	_ = in.msg.Respond(encode(a))
	return failed
}

// takeIn folds records that come where those before them ended, and says how far
// that is. What came before, or would leave a gap, is sent again from there.
func (m *making) takeIn(h *hand, in message) error {
	var err error
	if in.at == h.have {
		if err = m.fold(h, in.records); err == nil {
			h.have += int64(len(in.records))
		}
	}
	_ = in.msg.Respond(binary.LittleEndian.AppendUint64(nil, uint64(h.have)))
	return err
}

// fold takes in whole records.
func (m *making) fold(h *hand, b []byte) error {
	for len(b) > 0 {
		record, rest := next(b)
		if record == nil {
			return errBadRecord
		}
		if err := readRecord(record, &m.record, m.epoch); err != nil {
			return err
		}
		if m.record.Request == nil {
			return errBadRecord
		}
		m.record.By = h.index + 1
		if m.record.Phase == loadgen.Profiling {
			if m.measured.IsZero() {
				m.measured = m.record.Start.Add(-m.record.Sent)
			}
			m.sent(&m.record)
			h.begun = max(h.begun, position(m.record.Request)+1)
			switch {
			case m.record.OK():
				h.ok++
			case m.record.Cancelled():
				h.cancelled++
			default:
				h.failed++
			}
		}
		m.home.Fold(&m.record)
		b = rest
	}
	return nil
}

// sent notes what tells when the load became less.
func (m *making) sent(r *loadgen.Record) {
	const many = 1 << 16
	m.last = max(m.last, r.Sent)
	if len(m.ends) == many {
		m.ends = slices.DeleteFunc(m.ends, func(end time.Duration) bool { return end < m.last })
	}
	if r.Ended >= m.last && len(m.ends) < many {
		m.ends = append(m.ends, r.Ended)
	}
}

// position is the number of a request's session, which its name ends with.
func position(q *loadgen.Request) int {
	n, err := strconv.Atoi(q.Session[strings.LastIndexByte(q.Session, '_')+1:])
	if err != nil {
		return 0
	}
	return n
}

// leavings takes in what lost workers have left on this machine.
func (m *making) leavings() {
	for _, h := range m.crew {
		if h.gone == "" || h.done != nil || m.spools() == "" {
			continue
		}
		if kill := m.members[h.index].kill; kill != nil {
			kill() // it writes nothing more
		}
		path := spoolName(m.spools(), h.index)
		issued, err := leftBehind(path, h.have, func(b []byte, _ time.Time) error {
			h.have += int64(len(b))
			return m.fold(h, b)
		})
		if err != nil {
			m.Log.Warn(fmt.Sprintf("Reading what worker %d has left: %v", h.index, err))
			continue
		}
		h.issued = max(h.issued, issued)
		_ = os.Remove(path)
	}
}

// tidy removes the records that were taken in.
func (m *making) tidy() {
	dir := m.spools()
	if dir == "" {
		return
	}
	for _, h := range m.crew {
		if h.done != nil {
			_ = os.Remove(spoolName(dir, h.index)) // where the worker has not yet
		}
	}
	_ = os.Remove(dir) // unless records are left in it
}

// spools is the directory of the records that wait to be taken in, where workers
// are on this machine.
func (m *making) spools() string {
	if m.Spawn == nil || m.order.Dir == "" {
		return ""
	}
	return filepath.Join(m.order.Dir, SpoolDir)
}
