package synth

import (
	"errors"
	"fmt"
	"math"

	"loadgen"
)

// MaxTokens bounds the lengths that a spec may ask for.
const MaxTokens = 10_000_000

// A Spec says which requests a run consists of. Its zero value asks for nothing
// and is refused; the names in messages are those of the batch file.
type Spec struct {
	Seed loadgen.Seed // the cell's own
	// Salt makes other words of the same seed: lengths, turns, delays and the
	// choice of prefixes stay. Empty for those of the seed alone.
	Salt string
	// Phase keeps warm-up and measured prompts apart: a source for each.
	Phase loadgen.Phase
	// Completions says that the endpoint takes one text: system prompt, prefix
	// and prompt then make up a single message.
	Completions bool

	Input  Normal // tokens of a user message, without shared prefixes
	Output Normal // tokens to ask for; a mean of 0 asks for none
	// Mixture takes the place of Input and Output where it is not empty.
	Mixture Mixture

	// Template returns how many tokens the server's chat template adds to
	// messages, of which it looks at the roles only; 0 where it is not known.
	// It is called by many goroutines at once; nil for endpoints without.
	Template func([]loadgen.Message) int
	// Whole makes Input the length of a turn with what the template adds for
	// it, so that the text is shorter by that.
	Whole bool

	SystemTokens int // shared_system_prompt_length: a system message common to all
	Prefixes     int // num_prefix_prompts: the pool from which each session takes one
	PrefixTokens int // prefix_prompt_length, in addition to Input

	// Corpus names a text file to cut prompts from; empty for words of the
	// tokenizer's vocabulary.
	Corpus string

	Turns   Normal  // per session; a mean of 0 means 1
	Delay   Normal  // think time before each later turn, in milliseconds
	History History // what a later turn carries of the earlier ones

	// Sessions ends the source after so many; 0 never does.
	Sessions int

	// File names a dataset to take sessions from, in place of all that is above
	// from Input to Delay, except that Output serves entries that ask for no
	// length.
	File   string
	Format Format
	// Wrap starts a dataset again when it is used up, which reuses its prompts;
	// else the source ends there.
	Wrap bool
	// BlockTokens is how many tokens an id of a trace's hash_ids stands for; 0
	// means 512.
	BlockTokens int
}

// A History says what a later turn of a conversation carries of the earlier
// ones.
type History uint8

const (
	// ServerHistory carries the server's own answers: [Source.Follow] adds them
	// between the turns.
	ServerHistory History = iota
	// SyntheticHistory carries made-up answers of the length that was asked
	// for, or those a dataset has, known before the run begins.
	SyntheticHistory
)

// ParseHistory reads a conversation_history: server or synthetic.
func ParseHistory(name string) (History, error) {
	switch name {
	case "server":
		return ServerHistory, nil
	case "synthetic":
		return SyntheticHistory, nil
	}
	return 0, fmt.Errorf("conversation_history %q is neither server nor synthetic", name)
}

// Check reports every fault of a spec, joined.
func (s Spec) Check() error {
	errs := []error{
		s.Output.check("prompt_output_tokens", 0),
		s.Turns.check("session_turns", 0),
		s.Delay.check("session_turn_delay", 0),
		within("shared_system_prompt_length", s.SystemTokens),
		within("num_prefix_prompts", s.Prefixes),
		within("prefix_prompt_length", s.PrefixTokens),
		within("the block size of hash_ids", s.BlockTokens),
	}
	if s.Sessions < 0 {
		errs = append(errs, fmt.Errorf("the number of sessions is %d", s.Sessions))
	}
	if (s.Prefixes > 0) != (s.PrefixTokens > 0) {
		errs = append(errs, errors.New("num_prefix_prompts and prefix_prompt_length only work together"))
	}
	if s.File != "" {
		return errors.Join(append(errs, s.checkDataset()...)...)
	}
	if s.Format != NoFormat {
		errs = append(errs, errors.New("custom_dataset_type needs an input_file"))
	}
	if len(s.Mixture) > 0 {
		errs = append(errs, s.Mixture.check())
	} else {
		errs = append(errs, s.Input.check("prompt_input_tokens", 1))
	}
	if s.History == SyntheticHistory && len(s.Mixture) == 0 && s.Output.Mean < 1 {
		errs = append(errs, errors.New("conversation_history: synthetic needs prompt_output_tokens_mean, the length of the made-up answers"))
	}
	return errors.Join(errs...)
}

// checkDataset returns the faults of a spec with a file: what it says beside
// that would have no effect.
func (s Spec) checkDataset() []error {
	var errs []error
	if s.Format == NoFormat {
		errs = append(errs, fmt.Errorf("input_file needs a custom_dataset_type: one of %s", formatNames()))
	}
	for _, part := range []struct {
		key string
		set bool
	}{
		{"sequence_distribution", len(s.Mixture) > 0},
		{"shared_system_prompt_length", s.SystemTokens > 0},
		{"num_prefix_prompts", s.Prefixes > 0},
		{"prompt_corpus", s.Corpus != ""},
		{"session_turns_mean", s.Turns != Normal{}},
		{"session_turn_delay_mean", s.Delay != Normal{}},
	} {
		if part.set {
			errs = append(errs, fmt.Errorf("%s has no effect on an input_file; leave one of them out", part.key))
		}
	}
	return errs
}

// parse reads an entry of the dataset and checks that it can be sent.
func (s Spec) parse(json []byte) (entry, error) {
	e, err := s.Format.parse(json)
	if err != nil {
		return e, err
	}
	for i, t := range e.turns {
		if most := (t.input + s.blockTokens() - 1) / s.blockTokens(); len(t.blocks) > most {
			return e, fmt.Errorf("hash_ids: %d blocks of %d tokens are more than the input_length of %d has", len(t.blocks), s.blockTokens(), t.input)
		}
		lengthless := t.answer == nil && t.output == 0 && s.Output.Mean < 1
		if s.History == SyntheticHistory && i < len(e.turns)-1 && t.body == nil && lengthless {
			return e, fmt.Errorf("turn %d: conversation_history: synthetic needs its output_length, or a prompt_output_tokens_mean for all", i+1)
		}
	}
	return e, nil
}

// words is the seed of what prompts consist of.
func (s Spec) words() loadgen.Seed {
	if s.Salt == "" {
		return s.Seed
	}
	return s.Seed.Sub("cache bust " + s.Salt)
}

func (s Spec) blockTokens() int {
	if s.BlockTokens == 0 {
		return 512
	}
	return s.BlockTokens
}

func (n Normal) check(what string, least float64) error {
	switch {
	case math.IsNaN(n.Mean) || n.Mean < least || n.Mean > MaxTokens:
		return fmt.Errorf("%s: the mean %v is not between %v and %d", what, n.Mean, least, MaxTokens)
	case math.IsNaN(n.Stddev) || n.Stddev < 0 || n.Stddev > MaxTokens:
		return fmt.Errorf("%s: the standard deviation %v is not between 0 and %d", what, n.Stddev, MaxTokens)
	}
	return nil
}

func within(what string, n int) error {
	if n < 0 || n > MaxTokens {
		return fmt.Errorf("%s: %d is not between 0 and %d", what, n, MaxTokens)
	}
	return nil
}
