package fleet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"loadgen"
	"loadgen/runner"
)

// lead is how long before it the moment is agreed on at which a phase begins: all
// must have heard of it, on a slow network twenty times over.
const lead = 100 * time.Millisecond

// SpoolDir is the directory, in that of a run, of the records that wait to be
// taken in.
const SpoolDir = "workers"

// A making is a run while the workers make it.
type making struct {
	*Coordinator
	order    runner.Order
	home     *runner.Home
	number   int
	crew     []*hand
	epoch    time.Time // of the first phase, by this clock
	phase    loadgen.Phase
	begun    bool
	taught   bool      // what the warm-up has to teach
	told     bool      // that the measurement has begun
	measured time.Time // when it did, by this clock
	drained  bool
	looked   int // looks that were decided
	sure     bool
	ending   bool   // nothing new is sent
	do       string // how it ends
	cut      string // why, where it was not the user
	record   loadgen.Record

	slots ceiling

	last time.Duration   // when a measured request was sent
	ends []time.Duration // of those that ended behind it, and more
}

// A hand is a worker in a run.
type hand struct {
	index     int
	key       string
	ready     [2]bool // for a phase
	warm      bool
	done      *result
	gone      string
	at        time.Duration // since the measurement began, when it was lost
	mute      bool          // it did not tell its clock
	have      int64         // bytes of its records that were taken in
	records   cutter        // of these
	spoilt    bool          // they cannot be read
	beat      beat
	clock     clock
	drift     time.Duration
	issued    int
	ok        int
	failed    int
	cancelled int
	begun     int // sessions, by their numbers the first so many of its own
}

func (h *hand) over() bool { return h.done != nil || h.gone != "" }

// Make has the first workers make a run.
func (k *Coordinator) Make(ctx, stopping context.Context, order runner.Order, home *runner.Home) (runner.Gathered, error) {
	k.runs++
	k.opened(k.runs)
	defer k.opened(0)
	m := &making{Coordinator: k, order: order, home: home, number: k.runs, slots: ceiling{slots: order.Ceiling}}
	for i := range order.Workers {
		m.crew = append(m.crew, &hand{index: i})
	}
	if err := k.Muster(stopping, order.Workers); err != nil {
		if stopping.Err() != nil {
			return runner.Gathered{Outcome: loadgen.Outcome{Cancelled: true}}, nil
		}
		return runner.Gathered{}, err
	}
	for _, h := range m.crew {
		h.key = m.seat(h.index).key
	}
	err := m.begin(stopping)
	switch {
	case err == nil:
		err = m.follow(ctx, stopping)
	case stopping.Err() != nil: // the user has ended it before it began
		err = nil
		m.abandon()
	default:
		m.abandon()
	}
	m.drifts(ctx)
	m.close()
	m.leavings()
	m.tidy()
	return m.gathered(stopping), err
}

// ErrSkew are workers that would not send what one process would.
var ErrSkew = errors.New("the workers are not alike")

// begin gives the order, and makes sure that all would send the same.
func (m *making) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.Patience)
	defer cancel()
	defer m.whileAll(cancel)()
	digests := make([]string, len(m.crew))
	err := m.each(func(h *hand) error {
		a, err := m.tell(ctx, h.index, command{Do: doBegin, Run: m.number, Order: m.order, Spools: m.spools(), Dir: slashed(m.order.Dir)})
		if err == nil && a.Error != "" {
			err = errors.New(a.Error)
		}
		if err != nil {
			if why := m.whyGone(h.index); why != "" {
				err = errors.New(why)
			}
			return fmt.Errorf("worker %d cannot begin: %w", h.index, err)
		}
		digests[h.index] = a.Digest
		return nil
	})
	if err != nil {
		return err
	}
	for i, digest := range digests {
		if digest != digests[0] {
			return fmt.Errorf("%w: worker %d would send something else than worker 0: its tokenizer, a file of the batch or its processor differs", ErrSkew, i)
		}
	}
	return nil
}

// whileAll calls lost when a worker is there no more, until the function that it
// returns is called.
func (m *making) whileAll(lost func()) (over func()) {
	watching, halt := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(again)
		defer tick.Stop()
		for len(m.missing(len(m.crew))) == 0 {
			select {
			case <-watching.Done():
				return
			case <-tick.C:
			}
		}
		lost()
	})
	return func() {
		halt()
		group.Wait()
	}
}

// slashed is a directory's name on this machine, whatever it is seen from.
func slashed(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil && dir != "" {
		dir = abs
	}
	return filepath.ToSlash(dir)
}

// each does something with all who are still in the run, at once.
func (m *making) each(do func(*hand) error) error {
	var members []*member
	hands := map[*member]*hand{}
	for _, h := range m.crew {
		if h.gone == "" {
			members = append(members, m.members[h.index])
			hands[m.members[h.index]] = h
		}
	}
	return m.all(members, func(who *member) error { return do(hands[who]) })
}

// drifts finds how far the clocks have moved since the run began.
func (m *making) drifts(ctx context.Context) {
	if !m.begun {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, silent)
	defer cancel()
	_ = m.each(func(h *hand) error {
		c, err := m.clockOf(ctx, h.index)
		if err == nil {
			h.drift = c.offset - h.clock.offset
		}
		return err
	})
}

// advance begins the next phase when all are ready for it.
func (m *making) advance(ctx context.Context) error {
	first := loadgen.Profiling
	if m.order.WarmsUp {
		first = loadgen.Warmup
	}
	switch {
	case m.ending:
		return nil
	case !m.begun:
		return m.arm(ctx, first)
	case !m.order.Drains || m.phase == loadgen.Profiling:
		return nil
	case !m.taught:
		return m.teach(ctx)
	}
	return m.arm(ctx, loadgen.Profiling)
}

// teach tells all what the warm-up has taught, once all of it is home.
func (m *making) teach(ctx context.Context) error {
	for _, h := range m.crew {
		if !h.over() && !h.warm {
			return nil
		}
	}
	lesson, err := m.home.Learn()
	if err != nil {
		return err
	}
	m.taught = true
	m.say(ctx, func(*hand) command { return command{Do: doLearn, Lesson: &lesson} })
	return nil
}

// say tells all who are still at it what to do. Who does not answer is left to
// the watch over silence.
func (m *making) say(ctx context.Context, what func(*hand) command) {
	ctx, cancel := context.WithTimeout(ctx, silent)
	defer cancel()
	_ = m.each(func(h *hand) error {
		if h.over() {
			return nil
		}
		c := what(h)
		c.Run = m.number
		_, err := m.tell(ctx, h.index, c)
		return err
	})
}

// arm agrees with all on the moment at which a phase begins.
func (m *making) arm(ctx context.Context, phase loadgen.Phase) error {
	for _, h := range m.crew {
		if !h.over() && !h.ready[phase] {
			return nil
		}
	}
	_ = m.each(func(h *hand) error {
		if h.over() {
			return nil
		}
		c, err := m.clockOf(ctx, h.index)
		if h.mute = err != nil; !h.mute {
			h.clock = c
		}
		return err
	})
	for _, h := range m.crew {
		if h.mute && !h.over() { // it would begin at some moment of its own
			m.lost(h, "it does not tell its clock")
		}
	}
	if m.ending {
		return nil
	}
	worst := time.Duration(0)
	for _, h := range m.crew {
		worst = max(worst, 2*h.clock.bound)
	}
	at := time.Now().Add(max(lead, 20*worst))
	m.say(ctx, func(h *hand) command {
		return command{Do: doStart, Phase: phase, At: m.Coordinator.clock.tell(at) + int64(h.clock.offset)}
	})
	if !m.begun {
		m.epoch = at
	}
	if phase == loadgen.Profiling {
		m.measured, m.told = at, true
	}
	m.begun, m.phase = true, phase
	m.home.Began(phase, at)
	return nil
}
