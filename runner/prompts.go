package runner

import (
	"errors"
	"fmt"
	"slices"

	"loadgen"
	"loadgen/sweep"
	"loadgen/synth"
)

// CheckPrompts reads through the datasets and corpora of a batch, each once,
// and reports every fault with its file and line. What is worth knowing of them
// besides goes to the batch's notes.
func CheckPrompts(b *sweep.Batch) error {
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
		s, err := spec(c, cell.Seed, 0, loadgen.Profiling)
		if err != nil {
			return err
		}
		seen, err := synth.Survey(s)
		if note := c.InputFile + ": " + seen.Note; seen.Note != "" && !slices.Contains(b.Notes, note) {
			b.Notes = append(b.Notes, note)
		}
		if err == nil && c.FixedSchedule && len(seen.Times) == 0 {
			err = fmt.Errorf("fixed_schedule: the entries of %s do not say when they are due: give each a timestamp, or remove fixed_schedule", c.InputFile)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// counted returns prompts with what sources of n sessions made for a phase that
// took so many: of a dataset's, some may have been read again that were not sent.
func counted(p sweep.Prompts, stats synth.Stats, n, sessions int) sweep.Prompts {
	p.Stats = stats
	if n > 0 {
		p.Reused = min(p.Reused, max(0, sessions-n))
	}
	return p
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
