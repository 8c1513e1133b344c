package fleet

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"loadgen/internal/outside"
	"loadgen/runner"
)

const (
	aliveEvery = time.Second
	// silent is how long a worker may be unheard of before it counts as lost.
	silent = 2500 * time.Millisecond
)

// A Config says who coordinates what.
type Config struct {
	Dial
	Server  *Server // where it is part of this process
	Script  Script
	Version string
	Workers int
	// Patience is how long missing workers are waited for.
	Patience time.Duration
	// Spawn starts a worker of an index on this machine, and returns what ends it
	// for good; nil where workers come by themselves.
	Spawn func(index int, lost func(why string)) (kill func(), err error)
	Log   *slog.Logger
}

// A Coordinator has workers make the runs of a batch: it is the runner's Crew.
type Coordinator struct {
	Config
	conn    *nats.Conn
	hello   string // the subject where workers come
	base    string // of all other subjects
	inbox   chan message
	changed chan struct{} // has a token when someone has come or gone
	halt    context.CancelFunc
	group   sync.WaitGroup
	runs    int

	mu      sync.Mutex
	members []*member
}

// A member is a worker as the coordinator sees it.
type member struct {
	hello
	index int
	here  bool
	quiet bool   // it is not, but may only be silent
	gone  string // why it is not here
	seen  time.Time
	beat  beat
	kill  func()
}

// A message is what workers send of a run, to be answered by who handles it.
type message struct {
	worker  int
	msg     *nats.Msg
	event   *event
	run     int
	at      int64
	records []byte
}

// Coordinate begins to listen for workers. Close must be called.
func Coordinate(c Config) (*Coordinator, error) {
	k := &Coordinator{Config: c, inbox: make(chan message, 4096), changed: make(chan struct{}, 1)}
	var options []nats.Option
	if c.Server != nil {
		options = append(options, nats.InProcessServer(c.Server.nats))
		if c.Server.secure { // there is no network in between, and no name to verify
			options = append(options, nats.Secure(&tls.Config{InsecureSkipVerify: true}))
		}
		k.Dial = Dial{URL: c.Server.URL, Token: c.Server.Token}
	}
	conn, prefix, err := k.connect("coordinator", options...)
	if err != nil {
		return nil, err
	}
	k.conn, k.hello = conn, prefix+"hello"
	k.base = prefix + strings.ToLower(nats.NewInbox()[len(nats.InboxPrefix):]) + "."
	for i := range c.Workers {
		k.members = append(k.members, &member{index: i, gone: "it has not come"})
	}
	for subject, handle := range map[string]nats.MsgHandler{
		k.hello:            k.welcome,
		k.base + "event.*": k.take,
		k.base + "beat.*":  k.feel,
	} {
		if _, err := conn.Subscribe(subject, handle); err != nil {
			conn.Close()
			return nil, fmt.Errorf("listening for workers: %w", err)
		}
	}
	records, err := conn.Subscribe(k.base+"records.*", k.take)
	if err == nil {
		err = records.SetPendingLimits(-1, -1) // each worker has no more than its window under way
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listening for workers: %w", err)
	}
	ctx, halt := context.WithCancel(context.Background())
	k.halt = halt
	k.group.Go(func() { k.live(ctx) })
	return k, nil
}

// live says that the coordinator is there, until ctx is done.
func (k *Coordinator) live(ctx context.Context) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		_ = k.conn.Publish(k.base+"alive", nil)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close tells the workers that the batch is over, and ends.
func (k *Coordinator) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = k.all(k.present(), func(m *member) error {
		_, err := k.tell(ctx, m.index, command{Do: doEnd})
		return err
	})
	k.halt()
	k.group.Wait()
	k.conn.Close()
	for _, m := range k.members {
		if m.kill != nil {
			m.kill()
		}
	}
}

// Size is how many workers there are.
func (k *Coordinator) Size() int { return k.Workers }

// welcome lets a worker in, or says why not.
func (k *Coordinator) welcome(msg *nats.Msg) {
	var h hello
	if json.Unmarshal(msg.Data, &h) != nil {
		return
	}
	h.Host = outside.Line(h.Host)
	w := k.admit(h)
	_ = msg.Respond(encode(w))
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

func (k *Coordinator) admit(h hello) welcome {
	k.mu.Lock()
	defer k.mu.Unlock()
	refuse := func(format string, args ...any) welcome {
		why := fmt.Sprintf(format, args...)
		k.Log.Warn(fmt.Sprintf("A worker on %s is refused: %s", h.Host, why))
		return welcome{Refused: why, Final: true}
	}
	if h.Protocol != protocol || h.Version != k.Version {
		return refuse("it is loadgen %s, the coordinator is %s: all must be the same", outside.Line(h.Version), k.Version)
	}
	at := slices.IndexFunc(k.members, func(m *member) bool { return m.here && m.Key == h.Key })
	if at < 0 && h.Index >= len(k.members) {
		return refuse("it wants to be worker %d of %d, counted from 0", h.Index, len(k.members))
	}
	if at < 0 && h.Index >= 0 {
		if at = h.Index; k.members[at].here {
			return refuse("worker %d is there already, on %s", h.Index, k.members[at].Host)
		}
	}
	if at < 0 {
		if at = slices.IndexFunc(k.members, func(m *member) bool { return !m.here }); at < 0 {
			return refuse("all %d workers are there", len(k.members))
		}
	}
	m := k.members[at]
	m.hello, m.here, m.quiet, m.gone, m.seen, m.beat = h, true, false, "", time.Now(), beat{}
	return welcome{Batch: k.base, Index: at, Script: k.Script}
}

// index is the worker that a message is from; false for none.
func (k *Coordinator) index(subject string) (int, bool) {
	var i int
	at := strings.LastIndexByte(subject, '.')
	if _, err := fmt.Sscanf(subject[at+1:], "%d", &i); err != nil || i < 0 || i >= len(k.members) {
		return 0, false
	}
	return i, true
}

// feel notes a heartbeat.
func (k *Coordinator) feel(msg *nats.Msg) {
	i, ok := k.index(msg.Subject)
	var b beat
	if !ok || json.Unmarshal(msg.Data, &b) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.members[i]
	m.seen, m.beat = time.Now(), b
	if m.quiet { // it was only silent: the next run is its again
		m.here, m.quiet = true, false
	}
}

// take passes on what a worker sends of a run. What finds no room is sent again.
func (k *Coordinator) take(msg *nats.Msg) {
	i, ok := k.index(msg.Subject)
	if !ok {
		return
	}
	m := message{worker: i, msg: msg}
	if strings.HasPrefix(msg.Subject, k.base+"event.") {
		m.event = &event{}
		if json.Unmarshal(msg.Data, m.event) != nil {
			return
		}
		m.run = m.event.Run
		if m.event.What == isLeaving {
			k.lose(i, outside.Line(m.event.Why))
			_ = msg.Respond(encode(reply{}))
			return
		}
	} else if m.run, m.at, m.records, ok = unwrap(msg.Data); !ok {
		return
	}
	select {
	case k.inbox <- m:
	default:
	}
}

// lose notes that a worker is gone.
func (k *Coordinator) lose(i int, why string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m := k.members[i]; m.here {
		m.here, m.gone = false, why
	} else if m.quiet {
		m.quiet = false
	}
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// present returns the workers that are there, those that are silent left out.
func (k *Coordinator) present() []*member {
	k.mu.Lock()
	defer k.mu.Unlock()
	var here []*member
	for _, m := range k.members {
		if m.here && time.Since(m.seen) > silent {
			m.here, m.quiet, m.gone = false, true, fmt.Sprintf("nothing was heard of it for %v", silent)
		}
		if m.here {
			here = append(here, m)
		}
	}
	return here
}

// missing returns the numbers of the first n workers that are not there.
func (k *Coordinator) missing(n int) []int {
	here := k.present()
	var missing []int
	for i := range n {
		if !slices.ContainsFunc(here, func(m *member) bool { return m.index == i }) {
			missing = append(missing, i)
		}
	}
	return missing
}

// Muster waits until the first n workers are there, and starts those that are to
// be started here.
func (k *Coordinator) Muster(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, k.Patience)
	defer cancel()
	missing := k.missing(n)
	if k.Spawn != nil {
		for _, i := range missing {
			m := k.members[i]
			if m.kill != nil {
				m.kill()
			}
			kill, err := k.Spawn(i, func(why string) { k.lose(i, why) })
			if err != nil {
				return err
			}
			m.kill = kill
		}
	}
	died := time.NewTicker(again)
	defer died.Stop()
	for ; len(missing) > 0; missing = k.missing(n) {
		select {
		case <-k.changed:
		case <-died.C:
		case <-ctx.Done():
			return fmt.Errorf("of %d workers these are not there after %v: %s", n, k.Patience, k.why(missing))
		}
	}
	return nil
}

// why names workers, with why they are not there.
func (k *Coordinator) why(missing []int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var parts []string
	for _, i := range missing {
		parts = append(parts, fmt.Sprintf("%d (%s)", i, k.members[i].gone))
	}
	return strings.Join(parts, ", ")
}

// tell tells a worker what to do until it answers.
func (k *Coordinator) tell(ctx context.Context, i int, c command) (reply, error) {
	return ask[reply](ctx, k.conn, fmt.Sprintf("%sdo.%d", k.base, i), c)
}

// all does something with several workers at once.
func (k *Coordinator) all(members []*member, do func(*member) error) error {
	errs := make([]error, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		group.Go(func() { errs[i] = do(m) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// A clock is how far a worker's is ahead, and the most by which that is wrong.
type clock struct{ offset, bound time.Duration }

// pings is how often a clock is read: the quickest answer tells most.
const pings = 16

// clockOf reads a worker's clock. The answer left the worker somewhere between the
// question and its arrival: half of that time is the bound.
func (k *Coordinator) clockOf(ctx context.Context, i int) (best clock, err error) {
	best.bound = time.Hour
	failed := 0
	for range pings {
		if failed == 2 {
			break
		}
		try, cancel := context.WithTimeout(ctx, time.Second)
		sent := time.Now()
		msg, err := k.conn.RequestWithContext(try, fmt.Sprintf("%sclock.%d", k.base, i), nil)
		took := time.Since(sent)
		cancel()
		if err != nil || len(msg.Data) != 8 {
			failed++
			continue
		}
		theirs := int64(binary.LittleEndian.Uint64(msg.Data))
		if took/2 < best.bound {
			best = clock{time.Duration(theirs - sent.UnixNano() - int64(took/2)), took / 2}
		}
	}
	if best.bound == time.Hour {
		return best, fmt.Errorf("worker %d does not tell its clock", i)
	}
	return best, nil
}

var _ runner.Crew = (*Coordinator)(nil)
