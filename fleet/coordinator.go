package fleet

import (
	"context"
	"crypto/tls"
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

// aliveEvery is how often the coordinator says that it is there.
const aliveEvery = time.Second

// A Config says who coordinates what.
type Config struct {
	Dial
	Server  *Server // where it is part of this process
	Script  Script
	Version string
	// Resumed is the directory of a batch that goes on: what workers have kept of
	// its runs is put there. Empty for one that begins.
	Resumed string
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
	closing sync.Once
	group   sync.WaitGroup
	runs    int
	ear     ear
	clock   steady

	mu      sync.Mutex
	members []*member
	open    int // the run that is being made; 0 between runs
	// mustered is whether all have been there: what was kept of runs that were
	// broken off is home.
	mustered bool
}

// Coordinate begins to listen for workers. Close must be called.
func Coordinate(c Config) (*Coordinator, error) {
	k := &Coordinator{Config: c, inbox: make(chan message, 4096), changed: make(chan struct{}, 1), clock: steady{time.Now()}}
	options := []nats.Option{
		nats.DisconnectErrHandler(func(*nats.Conn, error) { k.ear.lost(time.Now()) }),
		nats.ReconnectHandler(func(*nats.Conn) { k.ear.found(time.Now()) }),
	}
	if c.Server != nil {
		options = append(options, nats.InProcessServer(c.Server.nats))
		if c.Server.secure { // there is no network in between, and no name to verify
			options = append(options, nats.Secure(&tls.Config{InsecureSkipVerify: true}))
		}
		k.Dial = Dial{URL: c.Server.URL, Token: c.Server.own}
	}
	conn, prefix, err := k.connect(coordinatorName, newKey(), options...)
	if err != nil {
		return nil, err
	}
	k.conn, k.hello = conn, prefix+"hello"
	k.base = prefix + strings.ToLower(newKey()) + "."
	for i := range c.Workers {
		k.members = append(k.members, &member{index: i, gone: "it has not come"})
	}
	if err := errors.Join(k.onlyOne(prefix), k.listen()); err != nil {
		conn.Close()
		return nil, err
	}
	ctx, halt := context.WithCancel(context.Background())
	k.halt = halt
	k.group.Go(func() { k.live(ctx) })
	return k, nil
}

// onlyOne makes sure that no other batch meets its workers under the same name, at
// a server that is there for others too.
func (k *Coordinator) onlyOne(prefix string) error {
	if k.Server != nil {
		return nil
	}
	subject := prefix + "taken"
	if other, err := k.conn.Request(subject, nil, time.Second); err == nil {
		return fmt.Errorf("%w: another batch, %s, does so at %s: put a name behind the address, such as %s/NAME",
			ErrNotServed, outside.Line(string(other.Data)), k.shown(), strings.TrimRight(k.shown(), "/"))
	}
	name := []byte(k.Script.Name)
	_, err := k.conn.Subscribe(subject, func(msg *nats.Msg) { _ = msg.Respond(name) })
	return err
}

// listen begins to hear workers.
func (k *Coordinator) listen() error {
	whoever := seat{k.base, anyone, "*"}
	for subject, handle := range map[string]nats.MsgHandler{
		k.hello:                    k.welcome,
		whoever.subject(toEvent):   k.take,
		whoever.subject(toBeat):    k.feel,
		whoever.subject(toRecords): k.take,
		whoever.subject(toLeft):    k.takeLeft,
	} {
		s, err := k.conn.Subscribe(subject, handle)
		if err == nil {
			err = s.SetPendingLimits(-1, -1) // each worker has no more than a window under way
		}
		if err != nil {
			return fmt.Errorf("listening for workers: %w", err)
		}
	}
	return nil
}

// live says that the coordinator is there, until ctx is done.
func (k *Coordinator) live(ctx context.Context) {
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	said := time.Time{}
	for {
		now := time.Now()
		k.ear.listen(now)
		if now.Sub(said) >= aliveEvery {
			_ = k.conn.Publish(k.base+alive, nil)
			said = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close tells the workers that the batch is over, and ends.
func (k *Coordinator) Close() { k.closing.Do(k.dismiss) }

func (k *Coordinator) dismiss() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	here := k.present()
	for _, m := range k.members {
		if !slices.Contains(here, m) { // it may hear it all the same
			k.send(k.seat(m.index), command{Do: doEnd})
		}
	}
	_ = k.all(here, func(m *member) error {
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
			k.revive(m)
			kill, err := k.Spawn(i, func(why string) { k.died(i, why) })
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
		if fallen := k.fallen(missing); len(fallen) > 0 {
			return fmt.Errorf("workers on this machine ended before they could begin: %s", k.why(fallen))
		}
	}
	k.mu.Lock()
	k.mustered = true
	k.mu.Unlock()
	return nil
}

func (k *Coordinator) revive(m *member) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m.dead = false
}

// fallen returns which workers were started here and have ended.
func (k *Coordinator) fallen(of []int) (dead []int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, i := range of {
		if k.members[i].dead {
			dead = append(dead, i)
		}
	}
	return dead
}

// tell tells a worker what to do until it answers.
func (k *Coordinator) tell(ctx context.Context, i int, c command) (reply, error) {
	return ask[reply](ctx, k.conn, k.seat(i).subject(toDo), c)
}

// send tells who has a seat what to do, once, without waiting for an answer.
func (k *Coordinator) send(to seat, c command) {
	if to.key != "" {
		_ = k.conn.Publish(to.subject(toDo), encode(c))
	}
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

var _ runner.Crew = (*Coordinator)(nil)
