package sweep

import (
	"errors"
	"fmt"

	"loadgen"
	"loadgen/synth"
)

// CheckPrompts reads through the datasets and corpora of a batch, each once,
// and reports every fault with its file and line.
func (b *Batch) CheckPrompts() error {
	type files struct {
		dataset, format, corpus, history string
		lengths, times                   bool
	}
	checked := map[files]bool{}
	var errs []error
	for _, cell := range b.Cells() {
		c := &cell.Config
		read := files{c.InputFile, c.CustomDatasetType, c.PromptCorpus, c.ConversationHistory, c.PromptOutputTokensMean > 0, c.FixedSchedule}
		if c.InputFile == "" && c.PromptCorpus == "" || checked[read] {
			continue
		}
		checked[read] = true
		spec, err := c.spec(cell.Seed, loadgen.Profiling)
		if err != nil {
			return err
		}
		times, err := synth.Survey(spec)
		if err == nil && c.FixedSchedule && len(times) == 0 {
			err = fmt.Errorf("fixed_schedule: the entries of %s do not say when they are due: give each a timestamp, or remove fixed_schedule", c.InputFile)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Prompts says what the prompts of a run can be trusted for.
type Prompts struct {
	synth.Stats
	// Template says how it is known what the chat template adds: "file" or
	// "measured", empty where it is not known.
	Template string
	// TemplateTokens is what it adds to the prompt of a first turn.
	TemplateTokens int
}

// count takes over what a source made for a phase that took so many sessions:
// of a dataset's, some may have been read again that were not sent.
func (p *Prompts) count(source *synth.Source, sessions int) {
	p.Stats = source.Stats()
	if n := source.Len(); n > 0 {
		p.Reused = min(p.Reused, max(0, sessions-n))
	}
}

// notes says in words what weakens the figures of a run.
func (p *Prompts) notes() []string {
	var notes []string
	for _, weak := range []struct {
		n    int
		text string
	}{
		{p.Reused, "%d sessions of the dataset were sent another time: a server that caches prompts answered them faster than new ones"},
		{p.Repeats, "%d prompts are too short to differ from all others: a server that caches prompts answered them faster than new ones"},
		{p.Inexact, "%d prompts are not as long as was asked for: the tokenizer has no such text. Their true lengths are in the records"},
	} {
		if weak.n > 0 {
			notes = append(notes, fmt.Sprintf(weak.text, weak.n))
		}
	}
	return notes
}

// errNoTemplate is a run whose prompts cannot be as long as they should.
var errNoTemplate = errors.New("input_tokens_include_template: it is not known what the chat template adds: name a tokenizer " +
	"that has one beside it, or warm up with at least 3 requests against a server that reports prompt tokens by the same tokenizer")

// settleTemplate decides, once the warm-up is over, what the chat template is
// taken to add.
func (p *phases) settleTemplate() error {
	c := &p.run.Cell.Config
	if c.EndpointType == "completions" {
		return nil
	}
	p.template.settle()
	first := []loadgen.Message{{Role: "user"}}
	if c.SharedSystemPromptLength > 0 {
		first = []loadgen.Message{{Role: "system"}, first[0]}
	}
	tokens, known := p.template.lookUp(first)
	switch {
	case !known && c.InputTokensIncludeTemplate:
		return errNoTemplate
	case !known:
		return nil
	}
	p.run.Prompts.Template, p.run.Prompts.TemplateTokens = "measured", tokens
	if p.template.render != nil {
		p.run.Prompts.Template = "file"
	}
	r := p.Runner
	r.Log.Debug(fmt.Sprintf("the chat template adds %d tokens to a prompt (%s)", tokens, p.run.Prompts.Template))
	return nil
}
