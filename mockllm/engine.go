package mockllm

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// An engine drives a model on the clock: one goroutine for all sequences, which
// sleeps until the next token of any is due.
type engine struct {
	epoch   time.Time
	precise bool
	poke    chan struct{} // a sequence came that is due before the engine would wake

	mu      sync.Mutex
	model   model
	target  time.Duration // when the engine will wake
	figures figures
}

const never = time.Duration(1<<63 - 1)

func newEngine(cfg Config) *engine {
	e := &engine{epoch: time.Now(), precise: cfg.Precise && canSleepPrecisely, poke: make(chan struct{}, 1), target: never}
	e.figures.init(cfg.MaxNumSeqs)
	if cfg.Timing == Fixed {
		e.model = &fixed{ttft: cfg.TTFT, itl: cfg.ITL, produce: e.produce}
		return e
	}
	b := &batching{
		cfg: cfg, jitter: newJitter(cfg.Jitter, cfg.Seed, "steps", 0),
		produce: e.produce, stepped: e.figures.step, looked: e.figures.lookup,
	}
	if cfg.PrefixCache && cfg.KVCacheTokens > 0 {
		b.cache = newPrefixCache(cfg.KVCacheTokens)
	}
	e.model = b
	return e
}

func (e *engine) now() time.Duration { return time.Since(e.epoch) }

// submit gives the model a sequence, whose tokens are then announced on its
// wake channel until all are made or it is dropped.
func (e *engine) submit(s *sequence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.figures.arrive(s)
	e.model.add(s)
	if at, ok := e.model.next(); ok && at < e.target {
		e.target = at
		select {
		case e.poke <- struct{}{}:
		default:
		}
	}
}

// forget empties the prefix cache, if there is one.
func (e *engine) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b, ok := e.model.(*batching); ok && b.cache != nil {
		b.cache = newPrefixCache(b.cfg.KVCacheTokens)
	}
}

// drop ends a sequence whose client has gone; one that is complete is left.
func (e *engine) drop(s *sequence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !s.ended {
		s.ended = true
		e.figures.abandon(s)
	}
}

// produce is the model's announcement of a token.
func (e *engine) produce(s *sequence, at time.Duration) {
	made := int(s.made.Load()) + 1
	s.ended = made == s.want
	e.figures.token(s, made, at)
	s.last = at
	s.madeAt.Store(int64(at))
	s.made.Store(int64(made))
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run drives the model until the context ends.
func (e *engine) run(ctx context.Context) {
	if e.precise {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		sharpenTimers()
	}
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		e.mu.Lock()
		e.model.advance(e.now())
		at, ok := e.model.next()
		if !ok {
			at = never
		}
		e.target = at
		e.mu.Unlock()
		if !e.sleep(ctx, timer, at) {
			return
		}
	}
}

// coarse is what Go's timers may be late by: the runtime waits for them in
// epoll, which counts milliseconds.
const coarse = 1500 * time.Microsecond

// sleep waits until at or until poked; it reports false when the context has
// ended.
func (e *engine) sleep(ctx context.Context, timer *time.Timer, at time.Duration) bool {
	left := at - e.now()
	if e.precise {
		if at != never && left <= coarse {
			if left > 0 {
				sleepPrecisely(left)
			}
			return ctx.Err() == nil
		}
		left -= coarse
	}
	timer.Reset(left)
	select {
	case <-timer.C:
	case <-e.poke:
	case <-ctx.Done():
		return false
	}
	return true
}
