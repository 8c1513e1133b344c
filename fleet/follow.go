package fleet

import (
	"context"
	"fmt"
	"time"

	"loadgen"
)

// stuck is how long workers may take to give up what is in flight.
const stuck = 20 * time.Second

// homecoming is how long a run that is over for all others waits for workers that
// were lost. By then they have given up what was in flight.
const homecoming = harsh + 2*time.Second

// follow takes in what comes home until all workers are done or lost.
func (m *making) follow(ctx, stopping context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	stop, cancel := stopping.Done(), ctx.Done()
	var failed error
	var late, home <-chan time.Time
	for {
		if err := m.advance(ctx); err != nil && failed == nil {
			failed = err
			m.end(doStop)
		}
		if m.finished() {
			if !m.awaited() || stop == nil || cancel == nil {
				return failed
			}
			if home == nil {
				home = time.After(homecoming)
			}
		}
		select {
		case in := <-m.inbox:
			if err := m.handle(in); err != nil && failed == nil {
				failed = err
				m.end(doStop)
			}
		case <-tick.C:
			m.look()
			if m.ending {
				m.end(doStop) // or what was not heard the first time
			}
		case <-stop:
			stop = nil
			m.end(doStop)
		case <-cancel:
			cancel = nil
			m.end(doCancel)
			late = time.After(stuck)
		case <-home:
			return failed
		case <-late:
			for _, h := range m.crew {
				if !h.over() {
					m.lost(h, "it did not end when it was told to")
				}
			}
		}
	}
}

// awaited reports whether a worker that was lost may still come home with what it
// has made: one that runs elsewhere, has not been replaced, and was only silent.
func (m *making) awaited() bool {
	if m.Spawn != nil {
		return false
	}
	for _, h := range m.crew {
		if h.gone != "" && h.done == nil && !h.spoilt && m.silentOnly(h.index, h.key) {
			return true
		}
	}
	return false
}

// end tells all to stop who have not said that they are done, without waiting for
// their answers: those who count as lost may hear it.
func (m *making) end(do string) {
	if m.ending = true; m.do != doCancel {
		m.do = do
	}
	for _, h := range m.crew {
		if h.done == nil {
			m.send(m.seat(h.index), command{Do: m.do, Run: m.number})
		}
	}
}

// close tells those who did not come to their end that the run is over without
// them.
func (m *making) close() {
	for _, h := range m.crew {
		if h.done == nil {
			m.send(m.seat(h.index), command{Do: doClose, Run: m.number})
		}
	}
}

func (m *making) finished() bool {
	for _, h := range m.crew {
		if !h.over() {
			return false
		}
	}
	return true
}

// look sees who is still there, and how the run goes on.
func (m *making) look() {
	here := map[int]bool{}
	for _, who := range m.present() {
		here[who.index] = true
	}
	issued, flight := 0, 0
	m.mu.Lock()
	var measuring time.Duration = -1
	var gone []*hand
	for _, h := range m.crew {
		if h.over() {
			continue
		}
		if b := m.members[h.index].beat; b.Run == m.number {
			h.beat = b
			if b.Stage && b.Phase == loadgen.Profiling {
				measuring = max(measuring, b.Elapsed)
			}
		}
		if !here[h.index] {
			gone = append(gone, h)
		}
	}
	m.mu.Unlock()
	for _, h := range gone {
		m.lost(h, m.whyGone(h.index))
	}
	if measuring >= 0 && m.begun && !m.told { // a warm-up has gone on into it
		m.told = true
		m.home.Began(loadgen.Profiling, time.Now().Add(-measuring))
	}
	for _, h := range m.crew {
		if h.beat.Phase == loadgen.Profiling == m.told {
			issued += h.beat.Issued
		}
		if !h.over() {
			flight += h.beat.Flight
		}
	}
	m.home.Pulse(issued, flight)
	if m.told && !m.drained && m.falls() {
		m.drained = true
		m.home.Drained()
	}
}

// falls reports whether the load becomes less: with the first worker who has no
// more to send, or with the last where the schedule goes on for others.
func (m *making) falls() bool {
	n := 0
	for _, h := range m.crew {
		if h.over() || h.beat.Drained {
			n++
		}
	}
	return n == len(m.crew) || n > 0 && !m.order.Scheduled
}

// since is how long the measurement has gone on; 0 before it.
func (m *making) since() time.Duration {
	if m.measured.IsZero() {
		return 0
	}
	return max(time.Since(m.measured), 0)
}

// lost notes that a worker was lost, and ends the run: from here on it is not the
// load that was asked for.
func (m *making) lost(h *hand, why string) {
	h.gone, h.at = why, m.since()
	if m.cut == "" {
		m.cut = fmt.Sprintf("worker %d was lost: %s", h.index, h.gone)
	}
	m.Log.Error(fmt.Sprintf("Worker %d was lost: %s. The run is ended", h.index, h.gone))
	m.ending = true
}

// enough decides a look once, for all who ask.
func (m *making) enough(look int) bool {
	if look >= m.looked {
		m.looked = look + 1
		m.sure = m.home.Sure(look)
	}
	return m.sure && look < m.looked
}

// abandon ends a run that could not begin.
func (m *making) abandon() {
	m.end(doCancel)
	deadline := time.After(silent)
	for !m.finished() {
		select {
		case in := <-m.inbox:
			_ = m.handle(in)
		case <-deadline:
			return
		}
	}
}
