package synth

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
)

// A Source yields the sessions of a phase of a run. Its methods may be called
// by many goroutines at once.
type Source struct {
	spec    Spec
	writer  *writer
	dataset *dataset    // nil: sessions are made up
	sent    *beginnings // of the dataset's prompts
	shapes  []shape     // what to draw lengths from instead of the spec; see New
	name    string      // of its sessions, in front of their number
	deal    loadgen.Deal

	// Lengths have a stream of their own, so that they do not depend on the
	// tokenizer or the corpus.
	lengths, text, ids loadgen.Stream
	// prefixes is what a prefix is chosen by where text is salted; else that is
	// the first use of text.
	prefixes *loadgen.Stream

	next atomic.Int64 // index of the session to come, where sessions are made up
	mu   sync.Mutex   // for the dataset, which counts its own

	// later counts the requests of sessions behind their first.
	sessions, later, inexact, repeats, reused atomic.Int64
}

// A shape is the lengths of one request, in tokens.
type shape struct{ input, output int }

// Stats says what a source has yielded so far.
type Stats struct {
	Sessions, Requests int
	// Inexact counts requests whose prompt is not as long as was drawn, because
	// the tokenizer has no such text. Their InputTokens is the true length.
	Inexact int
	// Repeats counts the prompts that are too short to be certain to differ
	// from all earlier ones of the run: at 1 token a vocabulary gives a few
	// thousand prompts, at 2 millions, at 4 more than any run sends.
	Repeats int
	// Reused counts the sessions of a dataset that were taken another time.
	Reused int
}

// New checks a spec, every fault at once, and opens a source of sessions. A
// dataset is read through once, so that a bad line is found before the run.
//
// The warm-up of a dataset is made up, with the lengths of the dataset's first
// entries: it must leave nothing in the server's cache that the run asks for.
func New(spec Spec, lex *Lexicon) (*Source, error) {
	if err := spec.Check(); err != nil {
		return nil, fmt.Errorf("checking what to send: %w", err)
	}
	w, err := newWriter(spec, lex)
	if err != nil {
		return nil, err
	}
	s := &Source{spec: spec, writer: w}
	switch {
	case spec.Phase == loadgen.Warmup:
		s.draws("warmup", "warmup_")
	case spec.File != "":
		s.draws("dataset", "session_")
	default:
		s.draws("prompt", "session_")
	}
	if spec.File == "" {
		return s, nil
	}
	if s.dataset, err = openDataset(spec); err != nil {
		return nil, err
	}
	s.sent = newBeginnings()
	if spec.Phase == loadgen.Warmup {
		s.shapes, err = s.sample(64)
		if err := errors.Join(err, s.dataset.close()); err != nil {
			return nil, err
		}
		s.dataset = nil
	}
	return s, nil
}

// draws says which streams a source draws from and how its sessions are named.
func (s *Source) draws(streams, name string) {
	seed := s.spec.Seed
	s.lengths, s.text, s.ids = seed.Stream(streams+".lengths"), s.spec.words().Stream(streams+".text"), seed.Stream(streams+".ids")
	if s.spec.Salt != "" {
		prefixes := seed.Stream(streams + ".text")
		s.prefixes = &prefixes
	}
	s.name = name
}

// An Overview is what reading a spec's files through has shown.
type Overview struct {
	// Times are those of [Source.Times].
	Times []time.Duration
	// Note names what a dataset has and nothing is done with; empty for
	// nothing.
	Note string
}

// Survey reads through the files that a spec names, so that their faults are
// known before anything is sent.
func Survey(spec Spec) (Overview, error) {
	if err := spec.Check(); err != nil {
		return Overview{}, err
	}
	if spec.File == "" {
		_, err := openCorpus(spec.Corpus)
		return Overview{}, err
	}
	d, err := openDataset(spec)
	if err != nil {
		return Overview{}, err
	}
	return Overview{d.times, d.unread.String()}, d.close()
}

// Next returns the session that is next in order, or [io.EOF] behind the last
// one. Goroutines that call it at once get sessions one each, and the i-th
// session is the same whoever gets it.
func (s *Source) Next() (*loadgen.Session, error) {
	if s.deal.Empty() {
		return nil, io.EOF
	}
	if s.dataset != nil {
		return s.take()
	}
	i := s.deal.Nth(int(s.next.Add(1)) - 1)
	if s.spec.Sessions > 0 && i >= s.spec.Sessions {
		return nil, io.EOF
	}
	return s.At(i), nil
}

// Deal makes the source yield the sessions that a worker has of all. It is to be
// called before the first of them is asked for.
func (s *Source) Deal(deal loadgen.Deal) { s.deal = deal }

// take returns the next session of the dataset.
func (s *Source) take() (*loadgen.Session, error) {
	i, e, reused, err := s.entry()
	if err != nil {
		return nil, err
	}
	if reused {
		s.reused.Add(1)
	}
	lengths, text := s.lengths.At(i), s.text.At(i)
	c := s.begin(i, len(e.turns))
	for _, r := range e.turns {
		messages, t := s.recorded(i, r, &lengths, &text)
		c.history = append(c.history, messages...)
		c.add(t, &text)
	}
	return c.end(), nil
}

// entry reads the next entry that is the worker's, and passes over those of
// others.
func (s *Source) entry() (i int, e entry, reused bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		i = s.dataset.taken
		if s.spec.Sessions > 0 && i >= s.spec.Sessions {
			return i, e, false, io.EOF
		}
		if e, reused, err = s.dataset.next(); err != nil || s.deal.Owns(i) {
			return i, e, reused, err
		}
		if !reused {
			s.notice(i, e.turns[0])
		}
	}
}

// notice takes note of how an entry begins that another worker sends: the
// server's cache may have it from there.
func (s *Source) notice(i int, first entryTurn) {
	messages := first.messages
	if first.input > 0 {
		text := s.text.At(i)
		content, _ := s.writer.blocks(first.blocks, s.spec.blockTokens(), first.input, i, &text)
		messages = []loadgen.Message{{Role: "user", Content: content}}
	}
	s.sent.add(messages, 0)
}

// recorded returns a turn of a dataset's entry, with what it leaves to be made
// up.
func (s *Source) recorded(i int, r entryTurn, lengths, text *rand.PCG) ([]loadgen.Message, turn) {
	messages := r.messages
	t := turn{answer: r.answer, output: r.output, delay: r.delay, body: r.body}
	if r.input > 0 {
		var content string
		content, t.tokens = s.writer.blocks(r.blocks, s.spec.blockTokens(), r.input, i, text)
		messages = []loadgen.Message{{Role: "user", Content: content}}
		t.target = r.input
	} else {
		t.tokens = s.count(messages)
		t.target = t.tokens
	}
	if t.output == 0 && s.spec.Output.Mean > 0 && t.body == nil {
		t.output = s.spec.Output.atLeast(1, lengths)
	}
	return messages, t
}

// sample returns the lengths of the first requests of a dataset.
func (s *Source) sample(most int) ([]shape, error) {
	lengths, text := s.spec.Seed.Stream("dataset.lengths"), s.spec.Seed.Stream("warmup.sample")
	var shapes []shape
	for i := range min(most, s.dataset.entries) {
		e, _, err := s.dataset.next()
		if err != nil {
			return nil, err
		}
		l, t := lengths.At(i), text.At(i)
		_, first := s.recorded(i, e.turns[0], &l, &t)
		shapes = append(shapes, shape{max(1, first.tokens), first.output})
	}
	return shapes, nil
}

// At returns the i-th session of a source that makes its sessions up, without
// regard to which were taken before; nil for a source that reads a dataset.
func (s *Source) At(i int) *loadgen.Session {
	if s.dataset != nil {
		return nil
	}
	lengths, text := s.lengths.At(i), s.text.At(i)
	prefix := 0
	switch {
	case s.spec.Prefixes == 0:
	case s.prefixes != nil:
		chance := s.prefixes.At(i)
		prefix = below(&chance, s.spec.Prefixes)
	default:
		prefix = below(&text, s.spec.Prefixes)
	}
	turns := s.spec.Turns.atLeast(1, &lengths)
	c := s.begin(i, turns)
	for k := range turns {
		size := s.draw(&lengths)
		n := size.input - s.overhead(k)
		own := max(1, n)
		t := turn{output: size.output}
		if k == 0 {
			c.history, t.tokens, t.target = s.writer.opening(c.history, i, own, prefix, &text)
			if !s.writer.words.distinct(i, own) {
				s.repeats.Add(1)
			}
		} else {
			t.delay = time.Duration(max(0, s.spec.Delay.draw(&lengths)) * float64(time.Millisecond))
			t.target = own
			var content string
			content, t.tokens = s.writer.text(own, &text)
			c.history = append(c.history, loadgen.Message{Role: "user", Content: content})
		}
		t.target -= own - n // there is no shorter text than of one token
		c.add(t, &text)
	}
	return c.end()
}

// overhead returns how many tokens of the k-th turn's length are the chat
// template's: what it adds to the messages up to that turn, beyond what it
// added to those of the turn before.
func (s *Source) overhead(k int) int {
	if !s.spec.Whole || s.spec.Template == nil {
		return 0
	}
	var messages []loadgen.Message
	if s.spec.SystemTokens > 0 {
		messages = append(messages, loadgen.Message{Role: "system"})
	}
	messages = append(messages, loadgen.Message{Role: "user"})
	before := 0
	for range k {
		before = s.spec.Template(messages)
		messages = append(messages, loadgen.Message{Role: "assistant"}, loadgen.Message{Role: "user"})
	}
	return max(0, s.spec.Template(messages)-before)
}

// template returns what the chat template adds to messages.
func (s *Source) template(messages []loadgen.Message) int {
	if s.spec.Template == nil {
		return 0
	}
	return s.spec.Template(messages)
}

// draw returns the lengths of one request.
func (s *Source) draw(rng *rand.PCG) shape {
	if len(s.shapes) > 0 {
		return s.shapes[below(rng, len(s.shapes))]
	}
	input, output := s.spec.Input, s.spec.Output
	if len(s.spec.Mixture) > 0 {
		c := s.spec.Mixture.draw(rng)
		input, output = c.Input, c.Output
	}
	size := shape{input: input.atLeast(1, rng)}
	if output.Mean > 0 {
		size.output = output.atLeast(1, rng)
	}
	return size
}

// Times returns when each session of a dataset is due in its first round, since
// the first one; nil where the dataset does not say.
func (s *Source) Times() []time.Duration {
	if s.dataset == nil {
		return nil
	}
	return s.dataset.times
}

// Len returns how many sessions the source yields before it ends or repeats
// itself; 0 for no end.
func (s *Source) Len() int {
	if s.dataset == nil || (s.spec.Sessions > 0 && s.spec.Sessions < s.dataset.entries) {
		return s.spec.Sessions
	}
	return s.dataset.entries
}

// Stats returns what the source has yielded so far.
func (s *Source) Stats() Stats {
	sessions := int(s.sessions.Load())
	return Stats{
		Sessions: sessions, Requests: sessions + int(s.later.Load()),
		Inexact: int(s.inexact.Load()), Repeats: int(s.repeats.Load()), Reused: int(s.reused.Load()),
	}
}

// Close closes the dataset's file.
func (s *Source) Close() error {
	if s.dataset == nil {
		return nil
	}
	return s.dataset.close()
}
