package mockllm

import (
	"sync/atomic"
	"time"
)

// A sequence is one request inside the model. Times are since the engine's
// epoch.
type sequence struct {
	index   uint64 // order of arrival
	arrived time.Duration
	prompt  int      // tokens
	name    uint64   // hash of the whole prompt
	blocks  []uint64 // of the prompt
	want    int      // tokens to make
	jitter  jitter

	// The model's, under the engine's lock.
	cached, computed, piece int           // prompt tokens: found in the cache, computed, in the present step
	decoding                bool          // makes a token in the present step
	admitted                time.Duration // when its prefill began
	first                   time.Duration // its first token
	due                     time.Duration // fixed: the next token
	last                    time.Duration // the newest token
	ended                   bool          // complete, or the client has gone
	hits                    int           // cached, as usage says; written before the first token is made

	// What the answer sees.
	made   atomic.Int64  // tokens made
	madeAt atomic.Int64  // when the newest was due
	wake   chan struct{} // a token was made since it was last drained
}

// left returns the prompt tokens still to compute.
func (s *sequence) left() int { return s.prompt - s.cached - s.computed }

// context returns the tokens it holds in the KV cache now.
func (s *sequence) context() int { return s.cached + s.computed + int(s.made.Load()) }

// reserve returns the tokens it may come to hold.
func (s *sequence) reserve() int { return s.prompt + s.want }

// A model decides when tokens are made. It knows time only as data; its methods
// are called under the engine's lock with times that never fall.
type model interface {
	// add takes a sequence that has arrived.
	add(s *sequence)
	// next returns when advance has something to do; false for never.
	next() (time.Duration, bool)
	// advance makes every token due by now.
	advance(now time.Duration)
	// load returns how many sequences run and wait, and the tokens that those which
	// run hold and have room for.
	load() (running, waiting, kv, reserved int)
}
