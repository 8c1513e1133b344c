package mockllm

import (
	"slices"
	"time"
)

// A batching model runs steps back to back, as an engine with continuous
// batching and chunked prefill does. A step advances every running sequence:
// one token each for those whose prompt is computed, and up to PrefillChunk
// prompt tokens, in order of arrival, for the rest. It takes
//
//	Σ PrefillBase (prefills that begin in it) + PrefillPerToken · prompt tokens
//	+ DecodeBase + DecodePerSeq · b + DecodePerKVToken · Σ context   if b > 0 decode
//
// A sequence's first token is made by the step that ends its prefill.
type batching struct {
	cfg     Config
	cache   *prefixCache // nil for none
	jitter  jitter
	produce func(s *sequence, at time.Duration)
	stepped func(end, took time.Duration, running, waiting int)
	looked  func(s *sequence) // the cache was asked

	waiting []*sequence
	running []*sequence
	kv      int // tokens reserved by running
	busy    bool
	end     time.Duration // of the present step
}

func (b *batching) add(s *sequence) {
	b.advance(s.arrived)
	b.waiting = append(b.waiting, s)
	if !b.busy {
		b.begin(max(s.arrived, b.end))
	}
}

func (b *batching) next() (time.Duration, bool) { return b.end, b.busy }

func (b *batching) advance(now time.Duration) {
	for b.busy && b.end <= now {
		b.finish()
		b.begin(b.end)
	}
}

// begin starts a step at t, if there is anything to do.
func (b *batching) begin(t time.Duration) {
	b.leave()
	b.admit(t)
	b.busy = len(b.running) > 0
	if !b.busy {
		return
	}
	took := b.jitter.of(b.compose())
	b.end = t + took
	b.stepped(b.end, took, len(b.running), len(b.waiting))
}

// leave lets go of the sequences that are complete or abandoned.
func (b *batching) leave() {
	gone := func(s *sequence) bool { return s.ended }
	b.waiting = slices.DeleteFunc(b.waiting, gone)
	b.running = slices.DeleteFunc(b.running, func(s *sequence) bool {
		if s.ended {
			b.kv -= s.reserve()
		}
		return s.ended
	})
}

// admit lets waiting sequences run from t on while there is room, strictly in order.
func (b *batching) admit(t time.Duration) {
	for len(b.waiting) > 0 {
		s := b.waiting[0]
		if n := b.cfg.MaxNumSeqs; n > 0 && len(b.running) >= n {
			return
		}
		if room := b.cfg.KVCacheTokens; room > 0 && b.kv+s.reserve() > room && len(b.running) > 0 {
			return
		}
		b.waiting = slices.Delete(b.waiting, 0, 1)
		s.admitted = t
		if b.cache != nil {
			// The last token is always computed: it yields the first of the answer.
			held := s.blocks[:min(b.cache.held(s.blocks), max(s.prompt-1, 0)/blockTokens)]
			b.cache.keep(held)
			s.cached = len(held) * blockTokens
			s.hits = s.cached
			b.looked(s)
		}
		b.kv += s.reserve()
		b.running = append(b.running, s)
	}
}

// compose shares the step out and returns how long it takes.
func (b *batching) compose() time.Duration {
	var prefill, decode time.Duration
	budget := b.cfg.PrefillChunk
	if budget == 0 {
		budget = 1 << 60
	}
	for _, s := range b.running {
		s.piece, s.decoding = 0, s.made.Load() > 0
		switch {
		case s.decoding:
			decode += b.cfg.DecodePerSeq + time.Duration(s.context())*b.cfg.DecodePerKVToken
		case budget > 0:
			if s.computed == 0 {
				prefill += b.cfg.PrefillBase
			}
			s.piece = min(s.left(), budget)
			budget -= s.piece
			prefill += time.Duration(s.piece) * b.cfg.PrefillPerToken
		}
	}
	if slices.ContainsFunc(b.running, func(s *sequence) bool { return s.decoding }) {
		decode += b.cfg.DecodeBase
	}
	return prefill + decode
}

// finish makes the tokens of the step that ends.
func (b *batching) finish() {
	for _, s := range b.running {
		if s.ended {
			continue
		}
		if s.decoding {
			b.produce(s, b.end)
			continue
		}
		s.computed += s.piece
		if s.left() == 0 {
			if b.cache != nil {
				b.cache.keep(s.blocks)
			}
			b.produce(s, b.end)
		}
	}
}

func (b *batching) load() (running, waiting, kv, reserved int) {
	for _, s := range b.running {
		if !s.ended {
			running++
			kv += s.context()
			reserved += s.reserve()
		}
	}
	for _, s := range b.waiting {
		if !s.ended {
			waiting++
		}
	}
	return running, waiting, kv, reserved
}
