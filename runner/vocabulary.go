package runner

import (
	"maps"
	"slices"
	"sync"

	"loadgen"
	"loadgen/metrics"
	"loadgen/synth"
)

// A Tokenizer counts the tokens of prompts and answers.
type Tokenizer interface {
	synth.Tokenizer
	metrics.Counter
}

// A Vocabulary is what the tokens of a cell are counted with.
type Vocabulary struct {
	Tokenizer
	// Name is what results call it.
	Name string
	// StandIn says that the tokenizer is not the one that was asked for: how a
	// server's counts differ from its own says nothing about templates.
	StandIn bool
	// Note says what that means for a run, in a sentence; empty for nothing.
	Note string
	// Lexicon is the tokenizer's own.
	Lexicon *synth.Lexicon
	// Template returns how many tokens the model's chat template adds to
	// messages; nil where it is not at hand.
	Template func([]loadgen.Message) (int, error)
}

// A chatTemplate knows what the model's chat template adds to a prompt, which
// depends on the roles of its messages. It asks the template where that is at
// hand, and the server's own counts of the warm-up's prompts where it is not.
// Its methods may be called by many goroutines at once.
type chatTemplate struct {
	render func([]loadgen.Message) (int, error)
	deaf   bool // to the server's counts

	mu    sync.Mutex
	known map[string]int   // tokens by roles
	seen  map[string][]int // what the server counted beyond the text, by roles
}

func newChatTemplate(v *Vocabulary) *chatTemplate {
	return &chatTemplate{
		render: v.Template, deaf: v.StandIn || v.Template != nil,
		known: map[string]int{}, seen: map[string][]int{},
	}
}

// added returns the tokens that the template adds to messages, 0 where that is
// not known.
func (t *chatTemplate) added(messages []loadgen.Message) int {
	n, _ := t.lookUp(messages)
	return n
}

func (t *chatTemplate) lookUp(messages []loadgen.Message) (tokens int, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := rolesOf(messages)
	if n, known := t.known[string(key)]; known || t.render == nil {
		return max(0, n), n >= 0 && known
	}
	// The contents are left out, so that what is added does not depend on
	// which prompt came first.
	plain := slices.Clone(messages)
	for i := range plain {
		plain[i].Content = "text"
	}
	n, err := t.render(plain)
	if err != nil {
		n = -1 // the template refuses such messages
	}
	t.known[string(key)] = n
	return max(0, n), n >= 0
}

// observe notes what the server counted for a prompt of the warm-up.
func (t *chatTemplate) observe(rec *loadgen.Record) {
	if t.deaf || !rec.OK() || rec.Usage.PromptTokens < 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := string(rolesOf(rec.Request.Messages))
	t.seen[key] = append(t.seen[key], rec.Usage.PromptTokens-rec.Request.InputTokens)
}

// settle takes the medians of what was observed for what the template adds,
// where the prompts agree: a server that counts with another tokenizer than
// this one differs by more the longer the prompt is.
func (t *chatTemplate) settle() {
	const (
		least = 3 // prompts
		apart = 1 // tokens from the median, for 9 prompts of 10
	)
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, extra := range t.seen {
		slices.Sort(extra)
		median, near := extra[len(extra)/2], 0
		for _, n := range extra {
			if max(n-median, median-n) <= apart {
				near++
			}
		}
		if len(extra) >= least && median >= 0 && 10*near >= 9*len(extra) {
			t.known[key] = median
		}
	}
	clear(t.seen)
}

// teach takes over what others have settled.
func (t *chatTemplate) teach(known map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.seen) // of a part of the warm-up
	maps.Copy(t.known, known)
}

// settled returns what is known of the template, for others.
func (t *chatTemplate) settled() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.render != nil {
		return nil // they have it themselves
	}
	return maps.Clone(t.known)
}

// rolesOf returns the roles of messages, a line each.
func rolesOf(messages []loadgen.Message) []byte {
	key := make([]byte, 0, 64)
	for i := range messages {
		key = append(append(key, messages[i].Role...), '\n')
	}
	return key
}
