package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen"
	"loadgen/internal/outside"
)

// handle takes in what a worker sends.
func (m *making) handle(in message) error {
	if in.run != m.number || in.worker >= len(m.crew) {
		in.refuse()
		return nil
	}
	h := m.crew[in.worker]
	if in.event == nil {
		m.takeIn(h, in)
		return nil
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
				m.lost(h, outside.Line(e.Why))
			}
			if e.Result.Error != "" {
				failed = fmt.Errorf("worker %d: %s", h.index, e.Result.Error)
			}
		}
	}
	_ = in.msg.Respond(encode(a))
	return failed
}

// takeIn folds records that come where those before them ended, and says how far
// that is. What came before, or would leave a gap, is sent again from there.
func (m *making) takeIn(h *hand, in message) {
	if h.spoilt {
		in.refuse()
		return
	}
	h.issued = max(h.issued, in.issued)
	if in.at == h.have {
		if err := m.fold(h, in.records); err != nil {
			h.spoilt = true
			m.lost(h, err.Error())
			in.refuse()
			return
		}
	}
	_ = in.msg.Respond(taken(h.have))
}

// fold takes in the next bytes of a worker's records.
func (m *making) fold(h *hand, b []byte) error {
	h.have += int64(len(b))
	return h.records.cut(b, func(record []byte) error { return m.count(h, record) })
}

// count takes in a record.
func (m *making) count(h *hand, record []byte) error {
	r := &m.record
	if err := readRecord(record, r, m.epoch); err != nil {
		return err
	}
	if r.Request == nil {
		return errBadRecord
	}
	r.By = h.index + 1
	if r.Phase == loadgen.Profiling {
		if m.measured.IsZero() {
			m.measured = r.Start.Add(-r.Sent)
		}
		m.sent(r)
		m.slots.add(r)
		h.begun = max(h.begun, position(r.Request)+1)
		switch {
		case r.OK():
			h.ok++
		case r.Cancelled():
			h.cancelled++
		default:
			h.failed++
		}
	}
	m.home.Fold(r)
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
		if h.gone == "" || h.done != nil || h.spoilt || m.spools() == "" {
			continue
		}
		if kill := m.members[h.index].kill; kill != nil {
			kill() // it writes nothing more
		}
		if err := m.leaving(h, spoolName(m.spools(), h.index)); err != nil {
			m.Log.Warn(fmt.Sprintf("Reading what worker %d has left: %v", h.index, err))
		}
	}
}

func (m *making) leaving(h *hand, path string) error {
	left, err := openLeft(path)
	if errors.Is(err, errNothingLeft) {
		return os.Remove(path)
	}
	if err != nil {
		return err
	}
	defer left.file.Close()
	if err := left.from(h.have, func(b []byte) error { return m.fold(h, b) }); err != nil {
		return err
	}
	h.issued = max(h.issued, left.issued)
	return os.Remove(path)
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
