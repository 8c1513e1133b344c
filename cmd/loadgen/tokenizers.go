package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"loadgen"
	"loadgen/runner"
	"loadgen/sweep"
	"loadgen/synth"
	"loadgen/tokenizer"
)

// fallback counts tokens where the tokenizer that was asked for cannot be had:
// a tokenizer never stops a run.
const fallback = "cl100k_base"

// tokenizers finds and keeps the tokenizers of a batch.
type tokenizers struct {
	options tokenizer.Options
	log     *slog.Logger
	found   map[string]*runner.Vocabulary
}

func newTokenizers(download bool, log *slog.Logger) *tokenizers {
	return &tokenizers{options: tokenizer.Options{Download: download}, log: log, found: map[string]*runner.Vocabulary{}}
}

// get returns the tokenizer of a name. Without a name the model's is looked
// for on this machine, where it may lie under the model's name.
func (t *tokenizers) get(ctx context.Context, name, model string) *runner.Vocabulary {
	wanted, options := name, t.options
	if wanted == "" {
		wanted, options.Download = model, false
	}
	v, ok := t.found[wanted]
	if !ok {
		v = t.load(ctx, wanted, name != "", options)
		t.found[wanted] = v
	}
	return v
}

func (t *tokenizers) load(ctx context.Context, wanted string, asked bool, options tokenizer.Options) *runner.Vocabulary {
	tok, source, err := tokenizer.Load(ctx, wanted, options)
	if err == nil {
		t.log.Debug("tokenizer " + wanted + " from " + source.String())
		return &runner.Vocabulary{
			Tokenizer: tok, Name: wanted, Lexicon: synth.NewLexicon(tok), Template: t.template(source, tok),
		}
	}
	tok, builtinErr := tokenizer.Builtin(fallback)
	if builtinErr != nil {
		panic(builtinErr) // it is part of the program
	}
	note := fmt.Sprintf("no tokenizer is named and none lies here for %s: prompts and answers are counted with %s, and their lengths are in its tokens", wanted, fallback)
	if asked {
		note = fmt.Sprintf("%v: prompts and answers are counted with %s instead, and their lengths are in its tokens", err, fallback)
	}
	return &runner.Vocabulary{
		Tokenizer: tok, Name: fallback + " (in place of " + wanted + ")", StandIn: true, Note: note, Lexicon: synth.NewLexicon(tok),
	}
}

// notes says which tokenizers of a batch are not the ones that were asked for.
func (t *tokenizers) notes(ctx context.Context, batch *sweep.Batch) []string {
	var notes []string
	for _, cell := range batch.Cells() {
		v := t.get(ctx, cell.Config.Tokenizer, cell.Config.Model)
		if v.Note != "" && !slices.Contains(notes, v.Note) {
			notes = append(notes, v.Note)
		}
	}
	return notes
}

// template returns what counts the tokens that the chat template beside a
// tokenizer adds, nil where none is there that can be used.
func (t *tokenizers) template(source tokenizer.Source, tok *tokenizer.Tokenizer) func([]loadgen.Message) (int, error) {
	if source.Dir() == "" {
		return nil
	}
	template, err := tokenizer.LoadTemplate(source.Dir(), tok)
	count := func(messages []loadgen.Message) (int, error) {
		list := make([]tokenizer.Message, len(messages))
		for i, m := range messages {
			list[i] = tokenizer.Message{Role: m.Role, Content: m.Content}
		}
		return template.Added(list)
	}
	if err == nil {
		_, err = count([]loadgen.Message{{Role: "user", Content: "text"}})
	}
	if err != nil {
		t.log.Debug(fmt.Sprintf("%v: what it adds to prompts is measured in the warm-up", err))
		return nil
	}
	return count
}
