package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"loadgen/internal/outside"
)

// silent is how long a worker may be unheard of before it counts as lost: it
// speaks four times a second.
const silent = 1400 * time.Millisecond

// A member is a worker as the coordinator sees it.
type member struct {
	hello
	index   int
	here    bool
	arrived bool   // it has read the batch, and can begin
	quiet   bool   // it is not here, but may only be silent
	dead    bool   // its process, which was started here, has ended
	gone    string // why it is not here
	seen    time.Time
	beat    beat
	kill    func()
}

// A message is what workers send of a run, to be answered by who handles it.
type message struct {
	worker  int
	msg     *nats.Msg
	event   *event
	run     int
	at      int64
	issued  int
	records []byte
}

// welcome lets a worker in, or says why not.
func (k *Coordinator) welcome(msg *nats.Msg) {
	var h hello
	if json.Unmarshal(msg.Data, &h) != nil {
		return
	}
	h.Host = outside.Line(h.Host)
	_ = msg.Respond(encode(k.admit(h)))
}

func (k *Coordinator) admit(h hello) welcome {
	k.mu.Lock()
	defer k.mu.Unlock()
	refuse := func(format string, args ...any) welcome {
		why := fmt.Sprintf(format, args...)
		k.Log.Warn(fmt.Sprintf("A worker on %s is refused: %s", h.Host, why))
		return welcome{Refused: why, Final: true}
	}
	now := time.Now()
	// Who is silent may be gone: a worker that was started again waits to be sure.
	perhaps := func(m *member) bool { return now.Sub(m.seen) > 2*beatEvery }
	if h.Protocol != protocol || h.Version != k.Version {
		return refuse("it is loadgen %s, the coordinator is %s: all must be the same", outside.Line(h.Version), k.Version)
	}
	if !isKey(h.Key) {
		return refuse("it has no key")
	}
	at := slices.IndexFunc(k.members, func(m *member) bool { return m.here && m.Key == h.Key })
	if at < 0 && h.Index >= len(k.members) {
		return refuse("it wants to be worker %d of %d, counted from 0", h.Index, len(k.members))
	}
	if at < 0 && h.Index >= 0 {
		at = h.Index
		switch m := k.members[at]; {
		case m.here && perhaps(m):
			return welcome{Refused: fmt.Sprintf("worker %d may be there already, on %s", h.Index, m.Host)}
		case m.here:
			return refuse("worker %d is there already, on %s", h.Index, k.members[at].Host)
		}
	}
	if at < 0 {
		if at = slices.IndexFunc(k.members, func(m *member) bool { return !m.here }); at < 0 {
			if slices.ContainsFunc(k.members, perhaps) {
				return welcome{Refused: fmt.Sprintf("all %d workers may be there", len(k.members))}
			}
			return refuse("all %d workers are there", len(k.members))
		}
	}
	if m := k.members[at]; !m.here || m.Key != h.Key { // else it did not hear the answer
		m.hello, m.here, m.arrived, m.quiet, m.gone, m.seen, m.beat = h, true, false, false, "", now, beat{}
	}
	return welcome{Batch: k.base, Index: at, Script: k.Script, Resumed: k.Resumed}
}

// seat is where a worker is spoken to.
func (k *Coordinator) seat(i int) seat {
	k.mu.Lock()
	defer k.mu.Unlock()
	return seat{k.base, i, k.members[i].Key}
}

// sender is the worker that a message is from; false for one that was replaced,
// which is told to end.
func (k *Coordinator) sender(subject string) (int, bool) {
	number, rest, _ := strings.Cut(strings.TrimPrefix(subject, k.base+"w."), ".")
	key, _, _ := strings.Cut(rest, ".")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(k.members) || !isKey(key) {
		return 0, false
	}
	k.mu.Lock()
	now := k.members[i].Key
	k.mu.Unlock()
	if now != key {
		k.send(seat{k.base, i, key}, command{Do: doEnd})
		return 0, false
	}
	return i, true
}

// feel notes a heartbeat. Who is still at a run that is over is told so.
func (k *Coordinator) feel(msg *nats.Msg) {
	i, ok := k.sender(msg.Subject)
	var b beat
	if !ok || json.Unmarshal(msg.Data, &b) != nil {
		return
	}
	k.mu.Lock()
	m := k.members[i]
	m.seen, m.beat = time.Now(), b
	if m.quiet { // it was only silent: the next run is its again
		m.here, m.quiet = true, false
	}
	over := b.Run != 0 && b.Run != k.open
	k.mu.Unlock()
	if over {
		k.send(k.seat(i), command{Do: doClose, Run: b.Run})
	}
}

// take passes on what a worker sends of the run that is being made. What finds no
// room is sent again.
func (k *Coordinator) take(msg *nats.Msg) {
	i, ok := k.sender(msg.Subject)
	if !ok {
		return
	}
	m := message{worker: i, msg: msg}
	if strings.HasSuffix(msg.Subject, "."+toEvent) {
		m.event = &event{}
		if json.Unmarshal(msg.Data, m.event) != nil {
			return
		}
		switch m.event.What {
		case isHere:
			k.arrive(i)
			_ = msg.Respond(encode(reply{}))
			return
		case isLeaving:
			k.leaves(i, outside.Line(m.event.Why))
			_ = msg.Respond(encode(reply{}))
			return
		}
		m.run = m.event.Run
	} else if m.run, m.at, m.issued, m.records, ok = unwrap(msg.Data); !ok {
		return
	}
	k.mu.Lock()
	open := k.open
	k.mu.Unlock()
	if m.run != open {
		m.refuse()
		return
	}
	select {
	case k.inbox <- m:
	default:
	}
}

// refuse answers a message of a run that is over.
func (m message) refuse() {
	if m.event != nil {
		_ = m.msg.Respond(encode(reply{Over: true}))
		return
	}
	_ = m.msg.Respond(taken(runIsOver))
}

// arrive notes that a worker can begin.
func (k *Coordinator) arrive(i int) {
	k.mu.Lock()
	k.members[i].arrived = true
	k.mu.Unlock()
	k.change()
}

// silentOnly reports whether a worker is the one that has a key, and has not said
// that it leaves.
func (k *Coordinator) silentOnly(i int, key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.members[i]
	return m.Key == key && (m.here || m.quiet)
}

// whyGone is why a worker is not there.
func (k *Coordinator) whyGone(i int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.members[i].gone
}

// opened notes which run is being made.
func (k *Coordinator) opened(run int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = run
}

// change wakes who waits for workers.
func (k *Coordinator) change() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// lose notes that a worker is gone.
func (k *Coordinator) lose(i int, why string) {
	k.mu.Lock()
	m := k.members[i]
	m.here, m.quiet, m.gone = false, false, why
	k.mu.Unlock()
	k.change()
}

// leaves notes that a worker goes, and why. Between runs nobody else says so, and
// one in its place may be waited for for long.
func (k *Coordinator) leaves(i int, why string) {
	k.mu.Lock()
	m, resting := k.members[i], k.open == 0
	known := !m.here && !m.quiet
	k.mu.Unlock()
	k.lose(i, why)
	if resting && !known {
		k.Log.Warn(fmt.Sprintf("Worker %d on %s leaves: %s", i, m.Host, why))
	}
}

// died notes that the process of a worker that was started here has ended.
func (k *Coordinator) died(i int, why string) {
	k.mu.Lock()
	k.members[i].dead = true
	k.mu.Unlock()
	k.lose(i, why)
}

// present returns the workers that are there, those that are silent left out.
func (k *Coordinator) present() []*member {
	k.mu.Lock()
	defer k.mu.Unlock()
	var here []*member
	now := time.Now()
	for _, m := range k.members {
		if why := k.unheard(m, now); m.here && why != "" {
			m.here, m.quiet, m.gone = false, true, why
		}
		if m.here {
			here = append(here, m)
		}
	}
	return here
}

// unheard says why nothing is heard of a worker; empty where it is there. When the
// server has been gone for so long all have stopped by themselves.
func (k *Coordinator) unheard(m *member, now time.Time) string {
	switch {
	case k.ear.away(now) > harsh:
		return fmt.Sprintf("the NATS server has been gone for %v", harsh)
	case k.ear.unheard(m.seen, now) > silent:
		return fmt.Sprintf("nothing was heard of it for %v", silent)
	}
	return ""
}

// missing returns the numbers of the first n workers that cannot begin.
func (k *Coordinator) missing(n int) []int {
	here := k.present()
	k.mu.Lock()
	defer k.mu.Unlock()
	var missing []int
	for i := range n {
		if m := k.members[i]; !m.arrived || !slices.Contains(here, m) {
			missing = append(missing, i)
		}
	}
	return missing
}

// why names workers, with why they are not there.
func (k *Coordinator) why(missing []int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var parts []string
	for _, i := range missing {
		gone := k.members[i].gone
		if k.members[i].here {
			gone = "it is still reading the batch"
		}
		parts = append(parts, fmt.Sprintf("%d (%s)", i, gone))
	}
	return strings.Join(parts, ", ")
}
