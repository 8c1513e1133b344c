package runner

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"loadgen"
	"loadgen/sweep"
	"loadgen/synth"
	"loadgen/tokenizer"
)

// fallback counts tokens where the tokenizer that was asked for cannot be had:
// a tokenizer never stops a run.
const fallback = "cl100k_base"

// Vocabularies finds and keeps the tokenizers of a batch.
type Vocabularies struct {
	options tokenizer.Options
	log     *slog.Logger
	found   map[string]*Vocabulary
}

// NewVocabularies returns what looks for tokenizers on this machine, and on the
// hub where it may download them.
func NewVocabularies(download bool, log *slog.Logger) *Vocabularies {
	return &Vocabularies{options: tokenizer.Options{Download: download}, log: log, found: map[string]*Vocabulary{}}
}

// Get returns the tokenizer of a name. Without a name the model's is looked
// for on this machine, where it may lie under the model's name.
func (t *Vocabularies) Get(ctx context.Context, name, model string) *Vocabulary {
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

func (t *Vocabularies) load(ctx context.Context, wanted string, asked bool, options tokenizer.Options) *Vocabulary {
	tok, source, err := tokenizer.Load(ctx, wanted, options)
	if err == nil {
		t.log.Debug("tokenizer " + wanted + " from " + source.String())
		return &Vocabulary{
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
	return &Vocabulary{
		Tokenizer: tok, Name: fallback + " (in place of " + wanted + ")", StandIn: true, Note: note, Lexicon: synth.NewLexicon(tok),
	}
}

// Notes says which tokenizers of a batch are not the ones that were asked for.
func (t *Vocabularies) Notes(ctx context.Context, batch *sweep.Batch) []string {
	var notes []string
	for _, cell := range batch.Cells() {
		v := t.Get(ctx, cell.Config.Tokenizer, cell.Config.Model)
		if v.Note != "" && !slices.Contains(notes, v.Note) {
			notes = append(notes, v.Note)
		}
	}
	return notes
}

// template returns what counts the tokens that the chat template beside a
// tokenizer adds, nil where none is there that can be used.
func (t *Vocabularies) template(source tokenizer.Source, tok *tokenizer.Tokenizer) func([]loadgen.Message) (int, error) {
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
